import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { arrangeWeights, readModelHeader } from "../../../src/gguf/model-header.ts";
import { parseShardName, siblingNames } from "../../../src/gguf/shards.ts";
import type { FetchProgress, ModelSource } from "../../../src/gguf/source.ts";
import { openSource } from "../../../src/gguf/source.ts";
import { buildModel, buildShards } from "../../gguf-fixture.ts";

let folder = "";
const bytes = buildModel();
const shards = buildShards(3);
const shardName = (index: number): string => `big-0000${index + 1}-of-00003.gguf`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate test "));
  await writeFile(join(folder, "model.gguf"), bytes);
  for (const [index, shard] of shards.entries()) await writeFile(join(folder, shardName(index)), shard);
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads all of a source, and gives the weights' names and bytes. */
async function contents(
  source: ModelSource,
): Promise<{ names: string[]; files: Uint8Array[]; events: FetchProgress[] }> {
  const opened = await openSource(source);
  const events: FetchProgress[] = [];
  try {
    const header = await readModelHeader(opened.files);
    const weights = arrangeWeights(header, await opened.prepare({ onprogress: (event) => events.push(event) }));
    const files = await Promise.all(weights.map((file) => file.read(0, file.size + 10)));
    return { names: weights.map(({ name }) => name), files, events };
  } finally {
    await opened.close();
  }
}

describe("openSource() takes", () => {
  const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.byteLength; at += 100) controller.enqueue(bytes.slice(at, at + 100));
        controller.close();
      },
    });
  // The handle that a page gets from a file picker, as far as it is used.
  const handle = {
    getFile: async () => new File([bytes], "picked.gguf"),
    [Symbol.toStringTag]: "FileSystemFileHandle",
  };

  test.each<[string, () => unknown, string]>([
    ["a path", () => join(folder, "model.gguf"), "model.gguf"],
    ["a file URL", () => pathToFileURL(join(folder, "model.gguf")), "model.gguf"],
    ["a file URL as a string", () => pathToFileURL(join(folder, "model.gguf")).href, "model.gguf"],
    ["a Blob", () => new Blob([bytes]), "model.gguf"],
    ["a File", () => new File([bytes], "dropped.gguf"), "dropped.gguf"],
    ["a file handle", () => handle, "picked.gguf"],
    ["bytes", () => bytes, "model.gguf"],
    ["bytes within a buffer", () => Uint8Array.from([1, 2, 3, ...bytes]).subarray(3), "model.gguf"],
    ["a DataView", () => new DataView(bytes.buffer), "model.gguf"],
    ["an ArrayBuffer", () => bytes.buffer, "model.gguf"],
    ["a stream", stream, "model.gguf"],
    ["a data address", () => `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`, "model"],
    ["a blob address", () => URL.createObjectURL(new Blob([bytes])), "model"],
    ["a Response", () => new Response(bytes), "model"],
    ["an array of one", () => [bytes], "model.gguf"],
  ])("%s", async (_what, source, name) => {
    // Some of these sources are stand-ins that the type does not know.
    const { names, files } = await contents(source() as ModelSource);
    expect(names).toEqual([name]);
    expect(files).toEqual([bytes]);
  });

  test.each([0, 1, 2])("the path of shard %i for the whole model", async (index) => {
    const { names, files } = await contents(join(folder, shardName(index)));
    expect(names).toEqual([0, 1, 2].map(shardName));
    expect(files).toEqual(shards);
  });

  test("the file URL of a shard for the whole model", async () => {
    expect((await contents(pathToFileURL(join(folder, shardName(1))))).files).toEqual(shards);
  });

  test("shards in any order, by name or by what they say", async () => {
    const paths = [2, 0, 1].map((index) => join(folder, shardName(index)));
    expect((await contents(paths)).names).toEqual([0, 1, 2].map(shardName));
    expect((await contents([1, 2, 0].flatMap((index) => shards[index] ?? []))).files).toEqual(shards);
    expect((await contents([2, 1, 0].map((index) => new File([shards[index] ?? ""], shardName(index))))).files).toEqual(
      shards,
    );
  });

  test("nothing else, with a TypeError", async () => {
    for (const source of [
      undefined,
      null,
      7,
      "",
      [],
      {},
      { file: "x" },
      () => {},
      "s3://bucket/model.gguf",
      new Date(),
    ]) {
      // Callers without types can pass anything.
      await expect(openSource(source as ModelSource), String(source)).rejects.toThrow(TypeError);
    }
  });
});

describe("openSource()", () => {
  test("says that a file is missing, and which shard", async () => {
    const error: unknown = await openSource(join(folder, "none.gguf")).catch((reason: unknown) => reason);
    expect(InferenceError.is(error, "network")).toBe(true);
    expect(String(error)).toMatch(/none\.gguf: there is no such file/);
    await copyFile(join(folder, shardName(0)), join(folder, "part-00001-of-00002.gguf"));
    await expect(openSource(join(folder, "part-00001-of-00002.gguf"))).rejects.toThrow(
      /shard 2 of 2 of a split model.*part-00002-of-00002\.gguf: there is no such file/,
    );
    await expect(openSource(folder)).rejects.toThrow(/it is not a file/);
  });

  test("takes a Windows path for a path", async () => {
    await expect(openSource("C:\\models\\x.gguf")).rejects.toThrow(
      /Cannot read C:\\models\\x\.gguf: there is no such file/,
    );
  });

  test("tells no fetch of files that are here already", async () => {
    expect((await contents(join(folder, "model.gguf"))).events).toEqual([]);
  });

  test("gives copies, so that a caller may transfer what it reads", async () => {
    const opened = await openSource(bytes);
    const [file] = await opened.prepare();
    const read = await file?.read(0, 16);
    read?.fill(0);
    expect(await file?.read(0, 4)).toEqual(new TextEncoder().encode("GGUF"));
    expect(await file?.read(bytes.byteLength + 5, 4)).toEqual(new Uint8Array(0));
    await opened.close();
  });

  test("leaves an aborted signal's reason as it is", async () => {
    const reason = { why: "stopped" };
    await expect(openSource(bytes, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const opened = await openSource(join(folder, "model.gguf"));
    await expect(opened.prepare({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await opened.close();
    await opened.close();
  });

  test("refuses a used Response and a failed one", async () => {
    const used = new Response(bytes);
    await used.arrayBuffer();
    await expect(openSource(used)).rejects.toThrow(/body is used already/);
    await expect(openSource(new Response("gone", { status: 410 }))).rejects.toMatchObject({
      code: "network",
      details: { status: 410 },
    });
  });

  test("tells an address that holds nothing, without its data", async () => {
    const error: unknown = await openSource("data:;base64,%%%").catch((reason: unknown) => reason);
    expect(InferenceError.is(error, "network")).toBe(true);
    expect(String(error)).toMatch(/Cannot fetch the data: address/);
    await expect(openSource("blob:nodedata:gone")).rejects.toMatchObject({ code: "network" });
  });

  test("tells a stream's failure, and cancels it when closed early", async () => {
    const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.error(new Error("unplugged")),
    });
    const opened = await openSource(failing);
    await expect(readModelHeader(opened.files)).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/unplugged/),
    });
    let cancelled = 0;
    const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(bytes.slice(0, 50)),
      cancel: () => void cancelled++,
    });
    const second = await openSource(endless);
    await second.files[0]?.read(0, 20);
    await second.close();
    await second.close();
    expect(cancelled).toBe(1);
  });

  test("refuses a stream of text with a TypeError", async () => {
    const words = new ReadableStream({ pull: (controller) => controller.enqueue("GGUF") });
    const opened = await openSource(words);
    await expect(readModelHeader(opened.files)).rejects.toThrow(TypeError);
  });
});

test("parseShardName() takes only numbers that can be", () => {
  expect(parseShardName("a/b-00002-of-00003.gguf")).toEqual({ prefix: "a/b", number: 2, count: 3 });
  for (const name of [
    "b.gguf",
    "b-00000-of-00003.gguf",
    "b-00004-of-00003.gguf",
    "b-2-of-3.gguf",
    "b-00001-of-00003.gguf.part",
  ]) {
    expect(parseShardName(name), name).toBeUndefined();
    expect(siblingNames(name)).toEqual([name]);
  }
});
