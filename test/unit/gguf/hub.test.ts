import { describe, expect, test } from "vitest";
import type { HubSource } from "../../../src/gguf/hub.ts";
import { resolveHub } from "../../../src/gguf/hub.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import { openSource } from "../../../src/gguf/source.ts";
import type { FileServer } from "../../file-server.ts";
import { sendFile, serve } from "../../file-server.ts";
import { buildModel, buildShards } from "../../gguf-fixture.ts";
import { refusal } from "../refusal.ts";

const shards = buildShards(2);
const model = buildModel();

/** A Hub with one repository, `them/model-GGUF`, whose files are these; `perPage` splits its answers. */
function hubWith(paths: readonly string[], perPage = 1000): Promise<FileServer> {
  return serve((request, response) => {
    const url = new URL(request.path, "http://hub");
    const listing = /^\/api\/models\/them\/model-GGUF\/tree\/([^/]+)$/.exec(url.pathname);
    if (listing) {
      const at = Number(url.searchParams.get("cursor") ?? 0);
      const entries = paths.slice(at, at + perPage).map((path) => ({ type: "file", path, size: 1, lfs: { size: 1 } }));
      const next = at + perPage < paths.length;
      const link = `<http://${request.headers.host}${url.pathname}?recursive=true&cursor=${at + perPage}>; rel="next"`;
      response.writeHead(200, { "content-type": "application/json", ...(next ? { link } : {}) });
      response.end(JSON.stringify([{ type: "directory", path: "folder.gguf", size: 0 }, ...entries]));
      return;
    }
    const path = decodeURIComponent(/^\/them\/model-GGUF\/resolve\/main\/(.*)$/.exec(url.pathname)?.[1] ?? "");
    if (!paths.includes(path)) return void response.writeHead(404).end();
    const shard = /0000(\d)-of/.exec(path)?.[1];
    return sendFile(request, response, { bytes: (shard ? shards[Number(shard) - 1] : undefined) ?? model });
  });
}

const repository = [
  "README.md",
  "mmproj-model-f16.gguf",
  "model-Q2_K.gguf",
  "model-Q4_K_M.gguf",
  "model-Q4_K_S.gguf",
  "model-Q8_0.gguf",
  "BF16/model-BF16-00002-of-00002.gguf",
  "BF16/model-BF16-00001-of-00002.gguf",
  "model.imatrix.gguf",
];

async function resolve(server: FileServer, source: Omit<HubSource, "hf" | "hub">): Promise<string[]> {
  const addresses = await resolveHub({ hf: "them/model-GGUF", hub: server.base, ...source }, { fetch });
  return addresses.map(({ address }) => address.replace(`${server.base}/them/model-GGUF/resolve/`, ""));
}

describe("resolveHub() chooses", () => {
  test.each<[string, Omit<HubSource, "hf" | "hub">, string[]]>([
    ["Q4_K_M by itself", {}, ["main/model-Q4_K_M.gguf"]],
    ["a quantization in any case", { quant: "q8_0" }, ["main/model-Q8_0.gguf"]],
    [
      "a quantization's shards, in order",
      { quant: "BF16" },
      [1, 2].map((n) => `main/BF16/model-BF16-0000${n}-of-00002.gguf`),
    ],
    ["a file by its path", { file: "model-Q2_K.gguf" }, ["main/model-Q2_K.gguf"]],
    [
      "all shards by the name of one",
      { file: "model-BF16-00002-of-00002.gguf" },
      [1, 2].map((n) => `main/BF16/model-BF16-0000${n}-of-00002.gguf`),
    ],
    ["what is named, be it an image encoder", { file: "mmproj-model-f16.gguf" }, ["main/mmproj-model-f16.gguf"]],
    ["from a revision", { revision: "refs/pr/1" }, ["refs%2Fpr%2F1/model-Q4_K_M.gguf"]],
  ])("%s", async (_what, source, wanted) => {
    await using server = await hubWith(repository);
    expect(await resolve(server, source)).toEqual(wanted);
  });

  test.each<[string[], string]>([
    [["m-Q5_K_M.gguf", "m-Q4_0.gguf", "m-Q8_0.gguf"], "m-Q4_0.gguf"],
    [["m-Q5_K_M.gguf", "m-Q4_K_S.gguf", "m-Q4_0.gguf"], "m-Q4_K_S.gguf"],
    [["m-Q8_0.gguf", "m-Q5_K_M.gguf"], "m-Q5_K_M.gguf"],
    [["m.Q8_0.gguf", "m.f16.gguf"], "m.Q8_0.gguf"],
    [["m-Q4_0_4_4.gguf", "m-Q6_K.gguf"], "m-Q6_K.gguf"],
    [["only-one.gguf", "mmproj-only-one.gguf"], "only-one.gguf"],
  ])("by its order, of %j", async (paths, wanted) => {
    await using server = await hubWith(paths);
    expect(await resolve(server, {})).toEqual([`main/${wanted}`]);
  });

  test("names with characters that an address must escape", async () => {
    await using server = await hubWith(["my model #1.gguf"]);
    expect(await resolve(server, {})).toEqual(["main/my%20model%20%231.gguf"]);
  });

  test("over all pages of a long list", async () => {
    await using server = await hubWith(repository, 2);
    expect(await resolve(server, { quant: "BF16" })).toHaveLength(2);
    expect(server.requests).toHaveLength(5);
  });
});

describe("resolveHub() refuses", () => {
  test.each<[string, string[], Omit<HubSource, "hf" | "hub">, RegExp]>([
    [
      "a quantization that is not there",
      repository,
      { quant: "Q3_K_M" },
      /no quantization "Q3_K_M"; it has .*model-Q8_0\.gguf/,
    ],
    ["a part of a quantization's name", ["m-Q4_K_M.gguf", "m-Q8_0.gguf"], { quant: "Q4_K" }, /no quantization "Q4_K"/],
    ["a pattern for a quantization", repository, { quant: "Q.*" }, /no quantization "Q\.\*"/],
    ["a file that is not there", repository, { file: "x.gguf" }, /no file "x\.gguf"; it has/],
    [
      "two models of one quantization",
      ["a-Q4_K_M.gguf", "b-Q4_K_M.gguf"],
      {},
      /Q4_K_M fits 2 files \(a-Q4_K_M\.gguf, b-Q4_K_M\.gguf\)/,
    ],
    ["names without quantization", ["a.gguf", "b.gguf"], {}, /name one with file or quant; it has a\.gguf, b\.gguf/],
    ["a repository of image encoders", ["mmproj-a.gguf"], {}, /no language model is there/],
    ["a repository without GGUF files", ["model.safetensors"], {}, /it has no GGUF file/],
    ["a model that lacks a shard", ["m-00001-of-00002.gguf"], {}, /2 shards, the repository only 1/],
  ])("%s", async (_what, paths, source, message) => {
    await using server = await hubWith(paths);
    const error = await refusal(resolve(server, source));
    expect(error.code).toBe("format");
    expect(error.message).toMatch(message);
  });

  test("names that are no repository's, before anything is asked", async () => {
    const never: typeof fetch = () => Promise.reject(new Error("asked"));
    for (const hf of ["", "a/b/c", "../x", "a/..", "a b", "https://huggingface.co/a/b", "a/b?x"]) {
      await expect(resolveHub({ hf }, { fetch: never }), hf).rejects.toThrow(TypeError);
    }
    await expect(resolveHub({ hf: "a/b", file: "x", quant: "y" }, { fetch: never })).rejects.toThrow(/one of them/);
  });

  test("answers that are none", async () => {
    await using gated = await serve((_request, response) => void response.writeHead(401).end());
    const error = await refusal(resolve(gated, {}));
    expect(error).toMatchObject({ code: "network", details: { status: 401 } });
    expect(error.message).toMatch(/pass a `fetch` that adds your token/);
    await using page = await serve((_request, response) => void response.end("<html>"));
    expect((await refusal(resolve(page, {}))).message).toMatch(/not JSON/);
    await using object = await serve((_request, response) => void response.end("{}"));
    expect((await refusal(resolve(object, {}))).message).toMatch(/not a list/);
  });

  test("to follow a list to another server", async () => {
    await using other = await serve((_request, response) => void response.end("[]"));
    await using server = await serve((_request, response) => {
      response.writeHead(200, { link: `<${other.base}/next>; rel="next"` });
      response.end(JSON.stringify([{ type: "file", path: "a.gguf" }]));
    });
    expect(await resolve(server, {})).toEqual(["main/a.gguf"]);
    expect(other.requests).toHaveLength(0);
  });
});

test("openSource() loads { hf, quant } from huggingface.co through the fetch that it is given", async () => {
  await using server = await hubWith(repository);
  const asked: string[] = [];
  const local: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    asked.push(url.origin);
    return fetch(server.base + url.pathname + url.search, init);
  };
  const opened = await openSource({ hf: "them/model-GGUF", quant: "bf16" }, { fetch: local });
  const header = await readModelHeader(opened.files);
  expect(header.label).toBe("model-BF16");
  const weights = await opened.prepare();
  expect(await Promise.all(weights.map((file) => file.read(0, file.size)))).toEqual(shards);
  await opened.close();
  expect(new Set(asked)).toEqual(new Set(["https://huggingface.co"]));
});
