// loadModel() with a store, with digests, and the module's own digest: on the bundled model, through a local server.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { downloadModel, keptModels, removeModel } from "../../../src/api/keep.ts";
import { loadModel } from "../../../src/api/load.ts";
import type { LoadOptions } from "../../../src/api/contract.ts";
import { llamaAsset } from "../../../src/engine/llama-assets.ts";
import { memoryStore } from "../../../src/store/memory-store.ts";
import { sendFile, serve } from "../../file-server.ts";
import { buildModel, buildShards } from "../../gguf-fixture.ts";

const nano = new URL("../../../models/ruminate-nano-q8_0.gguf", import.meta.url);
const bytes = await readFile(nano);
const hex = createHash("sha256").update(bytes).digest("hex");
const base64 = `sha256-${createHash("sha256").update(bytes).digest("base64")}`;
const wrong = `sha256-${createHash("sha256").update("x").digest("base64")}`;
const etag = '"one"';

async function answer(source: string | URL, options: LoadOptions): Promise<string> {
  await using model = await loadModel(source, { threads: 1, ...options });
  return (await model.chat([{ role: "user", content: "What is 47 + 85?" }]).result()).text;
}

test("loadModel() fetches into a store once, runs from it, and checks the digest", async () => {
  await using server = await serve((request, response) => sendFile(request, response, { bytes, headers: { etag } }));
  const source = `${server.base}/nano.gguf`;
  const store = memoryStore();
  expect(await answer(source, { store, integrity: base64 })).toContain("132");
  const asked = server.requests.length;
  const phases = new Set<string>();
  const options = {
    store,
    integrity: { "nano.gguf": hex },
    onprogress: (e: { phase: string }) => void phases.add(e.phase),
  };
  expect(await answer(source, options)).toContain("132");
  expect(server.requests).toHaveLength(asked);
  expect([...phases]).toEqual(["verify", "load"]);
  expect(await keptModels(store)).toEqual([
    {
      name: "nano.gguf",
      addresses: [source],
      sizeBytes: bytes.byteLength,
      totalBytes: bytes.byteLength,
      isWhole: true,
    },
  ]);
  expect(await removeModel(source, { store })).toHaveLength(1);
  expect(await keptModels(store)).toEqual([]);
});

test("loadModel() refuses a file that is not what it has to be, fetched or local", async () => {
  await using server = await serve((request, response) => sendFile(request, response, { bytes, headers: { etag } }));
  const store = memoryStore();
  for (const [source, options] of [
    [`${server.base}/nano.gguf`, { store }],
    [`${server.base}/nano.gguf`, {}],
    [nano, {}],
  ] as const) {
    await expect(loadModel(source, { ...options, integrity: wrong })).rejects.toMatchObject({
      code: "integrity",
      details: { actual: hex },
    });
  }
  expect(await keptModels(store)).toEqual([]);
});

test("loadModel() refuses integrity that names not each file, and stores that are none", async () => {
  await expect(loadModel(nano, { integrity: { "other.gguf": hex } })).rejects.toThrow(/no digest for ruminate-nano/);
  await expect(loadModel(nano, { integrity: "md5-x" })).rejects.toThrow(TypeError);
  const sha512 = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  await expect(loadModel(nano, { integrity: sha512 })).rejects.toMatchObject({ code: "unsupported" });
  const notOne: unknown = { open: () => null };
  // What callers without types may pass.
  await expect(loadModel(nano, { store: notOne as "auto" })).rejects.toThrow(/store must be/);
});

test("loadModel() checks the engine's module by wasm.integrity", async () => {
  const url = llamaAsset({ bits: 32, simd: "relaxed", shared: true });
  const module = await readFile(url);
  const good = `sha384-${createHash("sha384").update(module).digest("base64")}`;
  const bad = `sha384-${createHash("sha384").update("x").digest("base64")}`;
  expect(await answer(nano, { engine: "llama", wasm: { url, integrity: good } })).toContain("132");
  await expect(loadModel(nano, { engine: "llama", wasm: { url, integrity: bad } })).rejects.toMatchObject({
    code: "integrity",
  });
  // Nor is another engine run in its place.
  const gone = new URL("gone.wasm", url);
  await expect(loadModel(nano, { wasm: { url: gone, integrity: good } })).rejects.toMatchObject({
    code: "unsupported",
  });
});

test("downloadModel() brings shards into a store, and what is missing of them only", async () => {
  const shards = buildShards(4);
  await using server = await serve((request, response) => {
    const index = Number(/-0000(\d)-of/.exec(request.path)?.[1]) - 1;
    return sendFile(request, response, { bytes: shards[index] ?? new Uint8Array(0), headers: { etag: `"${index}"` } });
  });
  const store = memoryStore();
  const source = `${server.base}/big-00001-of-00004.gguf`;
  const integrity = Object.fromEntries(
    shards.map((shard, index) => [
      `big-0000${index + 1}-of-00004.gguf`,
      createHash("sha256").update(shard).digest("hex"),
    ]),
  );
  const { files } = await downloadModel(source, { store, integrity });
  expect(files).toHaveLength(4);
  expect(await keptModels(store)).toMatchObject([{ name: "big.gguf", isWhole: true }]);
  for await (const key of store.keys()) if (key.includes("00003")) await store.delete(key);
  expect(await keptModels(store)).toMatchObject([{ name: "big.gguf", isWhole: false }]);
  const asked = server.requests.length;
  await downloadModel(source, { store });
  expect(server.requests.slice(asked).map(({ path }) => path)).toEqual(["/big-00003-of-00004.gguf"]);
  await expect(downloadModel(source, { store, integrity: hex })).rejects.toThrow(/one digest for 4 files/);
});

test("downloadModel() brings three shards at a time, and one that fails stops the others", async () => {
  const shards = buildShards(5).map((shard) => {
    const padded = new Uint8Array(2 * 2 ** 20);
    padded.set(shard);
    return padded;
  });
  const weights: string[] = [];
  let most = 0;
  let fails = false;
  await using server = await serve(async (request, response) => {
    const name = request.path.slice(1);
    const shard = shards[Number(/-0000(\d)-of/.exec(name)?.[1]) - 1] ?? new Uint8Array(0);
    // The beginning of each comes alone, for its header; the rest is what is counted.
    if (request.range?.endsWith("-") !== true) return sendFile(request, response, { bytes: shard, headers: { etag } });
    weights.push(name);
    most = Math.max(most, weights.length);
    await new Promise((resolve) => setTimeout(resolve, 100));
    weights.splice(weights.indexOf(name), 1);
    if (fails && name.includes("00002")) response.writeHead(404).end();
    else if (fails) response.writeHead(206, { "content-range": "bytes 1048576-2097151/2097152", etag }).flushHeaders();
    else await sendFile(request, response, { bytes: shard, headers: { etag } });
  });
  const source = `${server.base}/big-00001-of-00005.gguf`;
  const store = memoryStore();
  await downloadModel(source, { store });
  expect(most).toBe(3);
  fails = true;
  const asked = server.requests.length;
  await expect(downloadModel(source, { store: memoryStore() })).rejects.toMatchObject({ details: { status: 404 } });
  const begun = server.requests.slice(asked).filter(({ range }) => range?.endsWith("-"));
  expect(begun.map(({ path }) => path.slice(0, 10)).toSorted()).toEqual(["/big-00001", "/big-00002", "/big-00003"]);
  const ends = await Promise.all(begun.map(async ({ path, finished }) => [path.slice(5, 10), await finished]));
  expect(Object.fromEntries(ends)).toEqual({ "00001": false, "00002": true, "00003": false });
});

test("downloadModel() checks what the Hub tells of a file, and needs no network for what is kept", async () => {
  const model = buildModel();
  let oid = createHash("sha256").update("another").digest("hex");
  let asked = 0;
  const fetch: typeof globalThis.fetch = async (input) => {
    asked++;
    const { pathname } = new URL(typeof input === "string" ? input : "url" in input ? input.url : input);
    if (pathname.startsWith("/api/")) return Response.json([{ type: "file", path: "m-Q8_0.gguf", lfs: { oid } }]);
    return new Response(model, { headers: { etag, "content-length": String(model.byteLength) } });
  };
  const store = memoryStore();
  const source = { hf: "them/model", quant: "Q8_0" };
  await expect(downloadModel(source, { store, fetch })).rejects.toMatchObject({ code: "integrity" });
  oid = createHash("sha256").update(model).digest("hex");
  await downloadModel(source, { store, fetch });
  const before = asked;
  const phases = new Set<string>();
  await downloadModel(source, { store, fetch, onprogress: ({ phase }) => phases.add(phase) });
  expect(asked).toBe(before);
  // It was checked when it came.
  expect([...phases]).toEqual([]);
  expect(await removeModel({ hf: "them/other" }, { store })).toEqual([]);
  expect(await removeModel(source, { store })).toMatchObject([{ name: "m-Q8_0.gguf" }]);
});
