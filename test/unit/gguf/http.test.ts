import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { arrangeWeights, readModelHeader } from "../../../src/gguf/model-header.ts";
import { usualPatience } from "../../../src/patience.ts";
import type { FetchProgress, ModelSource, OpenOptions } from "../../../src/gguf/source.ts";
import { openSource } from "../../../src/gguf/source.ts";
import type { Manners } from "../../file-server.ts";
import { sendFile, sendSlowly, serve } from "../../file-server.ts";
import { buildModel, buildShards, modelMetadata } from "../../gguf-fixture.ts";
import { large, mib, small, temporaryFolder } from "./large-model.ts";

const folder = temporaryFolder();

async function download(
  source: ModelSource,
  options: OpenOptions = {},
): Promise<{ files: Uint8Array[]; events: FetchProgress[] }> {
  const opened = await openSource(source, options);
  const events: FetchProgress[] = [];
  try {
    const header = await readModelHeader(opened.files);
    const weights = arrangeWeights(header, await opened.prepare({ onprogress: (event) => events.push(event) }));
    // Their names are gone while they are open.
    expect(await readdir(folder())).toEqual([]);
    return { files: await Promise.all(weights.map((file) => file.read(0, file.size))), events };
  } finally {
    await opened.close();
  }
}

// By memcmp: the matchers take a minute for 24 MiB.
function expectSame(files: readonly Uint8Array[], wanted: readonly Uint8Array[]): void {
  expect(files.map(({ byteLength }) => byteLength)).toEqual(wanted.map(({ byteLength }) => byteLength));
  for (const [index, bytes] of wanted.entries())
    expect(Buffer.compare(files[index] ?? bytes, bytes), `file ${index}`).toBe(0);
}

async function refusal(work: Promise<unknown>): Promise<InferenceError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!InferenceError.is(error, "network")) throw new Error(`expected a network error, got ${String(error)}`);
  return error;
}

describe("openSource() over HTTP", () => {
  test("asks for the beginning, then once for the rest", async () => {
    await using server = await serve((request, response) => sendFile(request, response, { bytes: large }));
    const { files, events } = await download(`${server.base}/m.gguf`);
    expectSame(files, [large]);
    expect(server.requests.map(({ range }) => range)).toEqual([
      "bytes=0-1048575",
      expect.stringMatching(/^bytes=\d+-$/),
    ]);
    expect(events[0]).toEqual({ phase: "fetch", loaded: 0, total: large.byteLength, file: "m.gguf" });
    expect(events.at(-1)).toEqual({
      phase: "fetch",
      loaded: large.byteLength,
      total: large.byteLength,
      file: "m.gguf",
    });
    expect(events.length).toBeLessThan(40);
    for (const [index, event] of events.slice(1).entries())
      expect(event.loaded).toBeGreaterThan(events[index]?.loaded ?? 0);
  });

  test("asks for more of a header that is larger than the first range", async () => {
    const tokens = Array.from({ length: 40_000 }, (_, index) => `${index} `.repeat(14));
    const wordy = buildModel({ metadata: { ...modelMetadata, tokens } });
    expect(wordy.byteLength).toBeGreaterThan(3 * mib);
    await using server = await serve((request, response) => sendFile(request, response, { bytes: wordy }));
    expectSame((await download(`${server.base}/m.gguf`)).files, [wordy]);
    expect(server.requests.length).toBeGreaterThan(1);
    expect(server.requests.every(({ range }) => range !== undefined)).toBe(true);
  });

  test("reads a header without fetching the weights, with ranges", async () => {
    await using server = await serve((request, response) => sendFile(request, response, { bytes: large }));
    const opened = await openSource(`${server.base}/m.gguf`);
    expect((await readModelHeader(opened.files)).sizeBytes).toBe(large.byteLength);
    await opened.close();
    await Promise.all(server.requests.map(({ finished }) => finished));
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.sent).toBeLessThanOrEqual(mib);
  });

  test("reads a header from the one response of a server without ranges, and breaks it off", async () => {
    await using server = await serve((request, response) =>
      sendFile(request, response, { bytes: large, ranges: false }),
    );
    const opened = await openSource(`${server.base}/m.gguf`);
    await readModelHeader(opened.files);
    await opened.close();
    expect(await server.requests[0]?.finished).toBe(false);
    expect(server.requests[0]?.sent).toBeLessThan(large.byteLength);
    expectSame((await download(`${server.base}/m.gguf`)).files, [large]);
    expect(server.requests).toHaveLength(2);
  });

  test("asks for the whole where a 206 hides its length, as without CORS headers", async () => {
    await using server = await serve((request, response) => sendFile(request, response, { bytes: large }));
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const { status, body, headers } = await globalThis.fetch(input, init);
      const shown = new Headers(headers);
      shown.delete("content-range");
      return new Response(body, { status, headers: shown });
    };
    const { files, events } = await download(`${server.base}/m.gguf`, { fetch });
    expectSame(files, [large]);
    expect(events[0]?.total).toBe(large.byteLength);
    expect(server.requests.map(({ range }) => range)).toEqual(["bytes=0-1048575", undefined]);
  });

  test.each([true, false])(
    "unpacks what the server packed, and takes its length for what it is (ranges: %s)",
    async (ranges) => {
      const bytes = gzipSync(large);
      const manners: Manners = (request, response) =>
        sendFile(request, response, { bytes, ranges, headers: { "content-encoding": "gzip" } });
      await using server = await serve(manners);
      const { files, events } = await download(`${server.base}/m.gguf`);
      expectSame(files, [large]);
      expect(events[0]).not.toHaveProperty("total");
    },
  );

  test("follows redirects", async () => {
    await using server = await serve((request, response) => {
      if (request.path === "/moved") return sendFile(request, response, { bytes: large });
      response.writeHead(302, { location: "/moved" }).end();
    });
    expectSame((await download(`${server.base}/m.gguf`)).files, [large]);
  });

  test("sends a Request as it stands", async () => {
    await using server = await serve((request, response) => sendFile(request, response, { bytes: small }));
    const request = new Request(`${server.base}/m.gguf`, { headers: { authorization: "Bearer x" } });
    expectSame((await download(request)).files, [small]);
    expect(server.requests.map(({ headers, range }) => [headers.authorization, range])).toEqual([
      ["Bearer x", undefined],
    ]);
  });

  test("takes a Response, with its name and size", async () => {
    await using server = await serve((request, response) => sendFile(request, response, { bytes: small }));
    const { files, events } = await download(await fetch(`${server.base}/a%20b.gguf`));
    expectSame(files, [small]);
    expect(events.at(-1)).toMatchObject({ file: "a b.gguf", total: small.byteLength });
  });

  test("brings the shards that an address implies, query and all", async () => {
    const shards = buildShards(3);
    await using server = await serve((request, response) => {
      const index = Number(/big-0000(\d)-of-00003\.gguf\?key=1$/.exec(request.path)?.[1]) - 1;
      return sendFile(request, response, { bytes: shards[index] ?? new Uint8Array(0) });
    });
    const { files, events } = await download(`${server.base}/big-00002-of-00003.gguf?key=1`);
    expectSame(files, shards);
    const total = shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(events.at(-1)).toEqual({
      phase: "fetch",
      loaded: total,
      total,
      file: expect.stringMatching(/^big-0000[123]-of-00003\.gguf$/),
    });
  });

  test("names the shard that is not there, and lets go of the others", async () => {
    await using server = await serve((request, response) => {
      if (request.path.includes("00001-of")) return sendFile(request, response, { bytes: large, ranges: false });
      response.writeHead(404).end();
    });
    const error = await refusal(openSource(`${server.base}/big-00001-of-00002.gguf`));
    expect(error.message).toMatch(/shard 2 of 2 .*big-00002-of-00002\.gguf: the server answered 404/);
    expect(await server.requests[0]?.finished).toBe(false);
  });
});

describe("openSource() over HTTP tells", () => {
  test.each([404, 401, 403, 429, 500])("status %i, with the address and without its password", async (status) => {
    await using server = await serve((_request, response) => void response.writeHead(status).end("no"));
    const fetch: typeof globalThis.fetch = () => globalThis.fetch(`${server.base}/m.gguf`);
    const patience = { ...usualPatience, firstDelay: 1 };
    const error = await refusal(openSource("http://me:secret@example.org/m.gguf", { fetch, patience }));
    expect(error.details).toEqual({ url: "http://example.org/m.gguf", status });
    expect(error.message).toContain(String(status));
    expect(error.message).not.toContain("secret");
  });

  test("that there is no server", async () => {
    let address = "";
    {
      await using server = await serve(() => {});
      address = `${server.base}/m.gguf`;
    }
    const error = await refusal(openSource(address));
    expect(error.details).toEqual({ url: address });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/ECONNREFUSED/);
  });

  test("a connection that breaks within the weights, and leaves no file", async () => {
    await using server = await serve(async (request, response) => {
      response.writeHead(200, { "content-length": large.byteLength });
      response.write(large.subarray(0, 5 * mib), () => response.destroy());
      await request.finished;
    });
    const error = await refusal(download(`${server.base}/m.gguf`));
    expect(error.details).toMatchObject({ url: `${server.base}/m.gguf`, status: 200 });
    expect(await readdir(folder())).toEqual([]);
  });

  test("a body that ends before its length", async () => {
    const fetch: typeof globalThis.fetch = async () =>
      new Response(large.slice(0, 3 * mib), { headers: { "content-length": String(large.byteLength) } });
    const error = await refusal(download("http://example.org/m.gguf", { fetch }));
    expect(error.message).toMatch(/ended after 3145728 of 25165824 bytes/);
    expect(error.details).toMatchObject({ received: 3 * mib, size: large.byteLength });
  });

  test("a file that changed between two requests", async () => {
    let etag = 0;
    await using server = await serve((request, response) =>
      sendFile(request, response, { bytes: large, headers: { etag: `"${etag++}"` } }),
    );
    expect((await refusal(download(`${server.base}/m.gguf`))).message).toMatch(/seems to have changed/);
  });

  test("a server that answers another range than was asked for", async () => {
    await using server = await serve((request, response) => {
      if (request.range === "bytes=0-1048575") return sendFile(request, response, { bytes: large });
      response.writeHead(206, { "content-range": `bytes 0-9/${large.byteLength}`, "content-length": 10 });
      return sendSlowly(request, response, large.subarray(0, 10));
    });
    expect((await refusal(download(`${server.base}/m.gguf`))).message).toMatch(/answered 206 with bytes 0-9/);
  });

  test("a web page for what it is", async () => {
    await using server = await serve((_request, response) => void response.end("<!doctype html><title>Log in</title>"));
    await expect(download(`${server.base}/m.gguf`)).rejects.toMatchObject({
      code: "format",
      message: expect.stringMatching(/web page/),
    });
  });

  test("weights that end early though the server told no length", async () => {
    await using server = await serve(
      (_request, response) => void response.writeHead(200).end(small.subarray(0, -1000)),
    );
    await expect(download(`${server.base}/m.gguf`)).rejects.toMatchObject({
      code: "format",
      message: expect.stringMatching(/cut short/),
    });
  });
});
