// Each way in which a download can fail, and what it costs: bytes that are lost, and bytes that come twice.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { withSource } from "../../../src/api/with-source.ts";
import { InferenceError } from "../../../src/errors.ts";
import { keyOf } from "../../../src/gguf/entry.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import type { Patience } from "../../../src/patience.ts";
import { usualPatience } from "../../../src/patience.ts";
import type { FetchProgress } from "../../../src/gguf/source.ts";
import { openSource } from "../../../src/gguf/source.ts";
import { diskStore } from "../../../src/store/disk-store.ts";
import type { ModelStore } from "../../../src/store/model-store.ts";
import type { FileServer } from "../../file-server.ts";
import { sendSlowly } from "../../file-server.ts";
import { large, mib, small } from "../gguf/large-model.ts";
import type { Faults } from "./fault-server.ts";
import { sendCut, serveFaults } from "./fault-server.ts";
import { refusal } from "../refusal.ts";

const quick: Patience = { ...usualPatience, firstDelay: 1, longestDelay: 5, stall: 3000 };
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const size = large.byteLength;

/** Bytes of bodies that were taken, as against sent, since the test began. */
let taken = 0;
const countingFetch: typeof globalThis.fetch = async (input, init) => {
  const { body, status, headers } = await globalThis.fetch(input, init);
  const reader = body?.getReader();
  const counted = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = (await reader?.read()) ?? { done: true };
        if (done || !value) return controller.close();
        taken += value.byteLength;
        controller.enqueue(value);
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(counted, { status, headers });
};
const table: [string, number][] = [];
afterAll(() => {
  console.log(table.map(([fault, again]) => `${fault}: nothing lost, ${again} bytes twice`).join("\n"));
});

let folder: string;
let store: ModelStore;
beforeEach(async () => {
  taken = 0;
  folder = await mkdtemp(join(tmpdir(), "ruminate-store-"));
  store = diskStore({ folder });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Run {
  integrity?: string;
  patience?: Patience;
  signal?: AbortSignal;
  onprogress?: (event: FetchProgress) => void;
  plain?: boolean;
}

/** Loads as `loadModel` does, to the point where an engine would start. */
async function pull(server: FileServer, { integrity, patience = quick, ...run }: Run = {}): Promise<Uint8Array> {
  const { onprogress, signal, plain = false } = run;
  const opened = await openSource(`${server.base}/m.gguf`, {
    store,
    patience,
    plain,
    fetch: countingFetch,
    ...(signal ? { signal } : {}),
  });
  try {
    await readModelHeader(opened.files);
    const [file] = await opened.prepare({
      integrity,
      ...(signal ? { signal } : {}),
      ...(onprogress ? { onprogress } : {}),
    });
    if (!file) throw new Error("no file");
    return await file.read(0, file.size);
  } finally {
    await opened.close();
  }
}

/** The same, beginning anew as `loadModel` does where a file changed. */
function pullAgain(server: FileServer, integrity?: string): Promise<Uint8Array> {
  return withSource(`${server.base}/m.gguf`, { store }, async (opened) => {
    await readModelHeader(opened.files);
    const [file] = await opened.prepare({ integrity });
    const bytes = await file?.read(0, file.size);
    await opened.close();
    return bytes ?? new Uint8Array(0);
  });
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
const partSize = async (server: FileServer): Promise<number> =>
  (await store.partial?.(keyOf(`${server.base}/m.gguf`)))?.size ?? 0;

/** Faults that one run survives: how the server behaves, and the most that comes twice. */
const survived: readonly (readonly [string, number, (state: { cuts: number }) => Partial<Faults>])[] = [
  ...[0, 1, mib - 1, mib, 5 * mib + 17].map(
    (length) =>
      [
        `the connection breaks after ${length} bytes of an answer`,
        0,
        (state: { cuts: number }): Partial<Faults> => ({
          instead: (request, response) => state.cuts++ < 2 && sendCut(request, response, { bytes: large, length }),
        }),
      ] as const,
  ),
  [
    "the connection breaks before the last byte",
    0,
    (state) => ({
      instead: (request, response) =>
        request.range?.endsWith("-") === true &&
        state.cuts++ === 0 &&
        sendCut(request, response, { bytes: large, length: size - Number(/\d+/.exec(request.range ?? "")?.[0]) - 1 }),
    }),
  ],
  [
    "the connection stalls",
    0,
    (state) => ({
      async instead(request, response) {
        if (!request.range?.endsWith("-") || state.cuts++ > 0) return false;
        const start = Number(/\d+/.exec(request.range ?? "")?.[0]);
        response.writeHead(206, {
          "content-range": `bytes ${start}-${size - 1}/${size}`,
          "content-length": size - start,
          etag: '"one"',
        });
        response.write(large.subarray(start, start + mib));
        request.sent += mib;
        return true;
      },
    }),
  ],
  ...[429, 503].map(
    (status) =>
      [
        `the server answers ${status} now and then`,
        0,
        (state: { cuts: number }): Partial<Faults> => ({
          instead(_request, response, index) {
            if (index % 2 === 1 || state.cuts++ > 3) return false;
            response.writeHead(status, { "retry-after": "0" }).end();
            return true;
          },
        }),
      ] as const,
  ),
  [
    "the server knows no ranges, and breaks off",
    12 * mib,
    (state) => ({
      ranges: false,
      async instead(request, response) {
        if (state.cuts++ > 0) return false;
        response.writeHead(200, { "content-length": size, etag: '"one"' });
        await new Promise<void>((resolve) => response.write(large.subarray(0, 12 * mib), () => resolve()));
        request.sent += 12 * mib;
        setTimeout(() => response.destroy(), 50);
        return true;
      },
    }),
  ],
  [
    "the server redirects",
    0,
    () => ({
      instead(request, response) {
        if (request.path === "/moved") return false;
        response.writeHead(302, { location: "/moved" }).end();
        return true;
      },
    }),
  ],
];

describe("a download into a store survives", () => {
  test.each(survived)("%s", async (name, twice, faults) => {
    const state = { cuts: 0 };
    await using server = await serveFaults({ bytes: large, ...faults(state) });
    expect(same(await pull(server, { integrity: sha256(large) }), large)).toBe(true);
    const again = taken - size;
    table.push([name, again]);
    expect(again).toBeGreaterThanOrEqual(0);
    expect(again).toBeLessThanOrEqual(twice);
    expect(await readdir(join(folder, "incomplete"))).toEqual([]);
    expect(sha256(await readFile(join(folder, keyOf(`${server.base}/m.gguf`))))).toBe(sha256(large));
  });

  test("a server that packs what it sends", async () => {
    await using server = await serveFaults({
      bytes: large,
      instead(request, response) {
        const packed = gzipSync(large);
        response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.byteLength });
        return sendSlowly(request, response, packed).then(() => true);
      },
    });
    expect(same(await pull(server, { integrity: sha256(large) }), large)).toBe(true);
  });

  test.each([0, 1, mib, 9 * mib + 3, size - 1])("an end of the process at byte %i", async (at) => {
    let isCut = true;
    await using server = await serveFaults({
      bytes: large,
      async instead(request, response) {
        if (!isCut) return false;
        const start = Number(/\d+/.exec(request.range ?? "")?.[0]);
        if (start < at || at <= mib)
          return sendCut(request, response, { bytes: large, length: Math.max(0, at - start) });
        response.writeHead(404).end();
        return true;
      },
    });
    await refusal(pull(server));
    const part = await partSize(server);
    taken = 0;
    isCut = false;
    expect(same(await pull(server, { integrity: sha256(large) }), large)).toBe(true);
    expect(taken).toBe(size - part);
    if (at > mib) expect(part).toBe(at);
  });

  test("an abort, which keeps what came", async () => {
    await using server = await serveFaults({ bytes: large });
    const controller = new AbortController();
    const reason = new Error("enough");
    const onprogress = ({ loaded }: FetchProgress): void => {
      if (loaded > 6 * mib) controller.abort(reason);
    };
    await expect(pull(server, { signal: controller.signal, onprogress })).rejects.toBe(reason);
    const part = await partSize(server);
    expect(part).toBeGreaterThan(5 * mib);
    expect(await store.open(keyOf(`${server.base}/m.gguf`))).toBeNull();
    const events: FetchProgress[] = [];
    expect(same(await pull(server, { onprogress: (event) => events.push(event) }), large)).toBe(true);
    expect(events.find(({ phase }) => phase === "fetch")?.loaded).toBe(part);
    expect(server.requests.at(-1)?.headers["if-range"]).toBe('"one"');
  });

  test("no network at all once it is whole", async () => {
    await using server = await serveFaults({ bytes: large });
    await pull(server);
    const asked = server.requests.length;
    expect(same(await pull(server), large)).toBe(true);
    expect(server.requests).toHaveLength(asked);
  });
});

describe("a download into a store starts over, and never mixes,", () => {
  const other = new Uint8Array(large);
  other.fill(7, size - 4 * mib);

  test("when the file changes half-way", async () => {
    const faults: Faults = { bytes: large };
    await using server = await serveFaults(faults);
    faults.instead = (request, response, index) => {
      if (index !== 1) return false;
      Object.assign(faults, { bytes: other, etag: '"two"' });
      return sendCut(request, response, { bytes: large, length: 9 * mib });
    };
    expect(same(await pullAgain(server, sha256(other)), other)).toBe(true);
  });

  test("when the file changed since the part was kept", async () => {
    const faults: Faults = { bytes: large };
    await using server = await serveFaults(faults);
    const controller = new AbortController();
    const onprogress = ({ loaded }: FetchProgress): void => {
      if (loaded > 6 * mib) controller.abort();
    };
    await expect(pull(server, { signal: controller.signal, onprogress })).rejects.toThrow();
    Object.assign(faults, { bytes: other, etag: '"two"' });
    expect(same(await pull(server, { integrity: sha256(other) }), other)).toBe(true);
  });

  test("when the server lies about ranges", async () => {
    await using server = await serveFaults({
      bytes: large,
      instead(request, response) {
        if (!request.range || request.range.startsWith("bytes=0-")) return false;
        response.writeHead(206, { "content-range": `bytes 5-9/${size}`, "content-length": 5, etag: '"one"' });
        response.end(large.subarray(5, 10));
        return true;
      },
    });
    expect(same(await pullAgain(server, sha256(large)), large)).toBe(true);
    expect(server.requests.at(-1)?.range).toBeUndefined();
  });

  test("when it breaks off, and there are neither ranges nor an ETag", async () => {
    await using server = await serveFaults({
      bytes: large,
      etag: "",
      ranges: false,
      instead(_request, response, index) {
        if (index > 0) return false;
        response.writeHead(200, { "content-length": size });
        response.write(large.subarray(0, 5 * mib), () => setTimeout(() => response.destroy(), 30));
        return true;
      },
    });
    expect(same(await pullAgain(server, sha256(large)), large)).toBe(true);
  });

  test("when a part has no ETag or date to go on by", async () => {
    await using server = await serveFaults({ bytes: large, etag: "" });
    const controller = new AbortController();
    const onprogress = ({ loaded }: FetchProgress): void => {
      if (loaded > 6 * mib) controller.abort();
    };
    await expect(pull(server, { signal: controller.signal, onprogress })).rejects.toThrow();
    expect(same(await pull(server), large)).toBe(true);
    expect(server.requests.filter(({ range }) => range?.startsWith("bytes=0-"))).toHaveLength(2);
  });
});

describe("a download into a store fails", () => {
  test.each([404, 401, 403])("with the status, for %i, without asking again", async (status) => {
    await using server = await serveFaults({
      bytes: large,
      instead: (_request, response) => (response.writeHead(status).end(), true),
    });
    expect(await refusal(pull(server))).toMatchObject({ code: "network", details: { status } });
    expect(server.requests).toHaveLength(1);
  });

  test("after five tries without a byte", async () => {
    await using server = await serveFaults({
      bytes: large,
      instead: (request, response, index) => index > 0 && sendCut(request, response, { bytes: large, length: 0 }),
    });
    expect(await refusal(pull(server))).toMatchObject({ code: "network" });
    expect(server.requests).toHaveLength(1 + 5);
    expect(await partSize(server)).toBe(mib);
  });

  test("when the server wants a longer wait than anybody has", async () => {
    await using server = await serveFaults({
      bytes: large,
      instead: (_request, response) => (response.writeHead(429, { "retry-after": "86400" }).end(), true),
    });
    expect(await refusal(pull(server))).toMatchObject({ details: { status: 429 } });
    expect(server.requests).toHaveLength(1);
  });

  test("when its digest is another, and keeps none of it", async () => {
    await using server = await serveFaults({ bytes: large });
    const error = await refusal(pull(server, { integrity: sha256(small) }));
    expect(error).toMatchObject({ code: "integrity", details: { actual: sha256(large) } });
    expect(await readdir(folder)).toEqual(["incomplete"]);
    expect(await readdir(join(folder, "incomplete"))).toEqual([]);
  });

  test("when the disk is full, and goes on when there is room", async () => {
    let room = 7 * mib;
    const real = store;
    store = {
      ...real,
      async create(key, at) {
        const writer = (await real.create(key, at)).getWriter();
        return new WritableStream({
          async write(chunk) {
            room -= chunk.byteLength;
            if (room < 0) {
              await writer.abort();
              throw new InferenceError("memory", "Cannot keep the model: no space is left");
            }
            await writer.write(chunk);
          },
          close: () => writer.close(),
          abort: () => writer.abort(),
        });
      },
    };
    await using server = await serveFaults({ bytes: large });
    expect(await refusal(pull(server))).toMatchObject({ code: "memory" });
    const part = await partSize(server);
    expect(part).toBeGreaterThan(6 * mib);
    room = Infinity;
    taken = 0;
    expect(same(await pull(server, { integrity: sha256(large) }), large)).toBe(true);
    expect(taken).toBe(size - part);
  });
});

test("a kept file that rotted is fetched anew where its digest is asked for", async () => {
  await using server = await serveFaults({ bytes: large });
  await pull(server);
  const key = keyOf(`${server.base}/m.gguf`);
  const writer = (await store.create(key, 0)).getWriter();
  const rotten = new Uint8Array(large);
  rotten[size - 1] = 1 + (rotten[size - 1] ?? 0);
  await writer.write(rotten);
  await writer.close();
  expect(same(await pullAgain(server, sha256(large)), large)).toBe(true);
});

test("the digest that the redirect of a Hub's address tells is checked", async () => {
  let digest = sha256(small);
  await using server = await serveFaults({
    bytes: large,
    instead(request, response) {
      if (!request.path.includes("/resolve/")) return false;
      response.writeHead(302, { location: "/stored", "x-linked-etag": `"${digest}"` }).end();
      return true;
    },
  });
  const load = (): Promise<number | undefined> =>
    withSource(`${server.base}/them/model/resolve/main/m.gguf`, { store }, async (opened) => {
      const [file] = await opened.prepare();
      await opened.close();
      return file?.size;
    });
  expect(await refusal(load())).toMatchObject({ code: "integrity" });
  digest = sha256(large);
  expect(await load()).toBe(size);
});

test("a kept file is not read again for what its server told when it came", async () => {
  await using server = await serveFaults({
    bytes: large,
    instead(_request, response) {
      response.setHeader("x-linked-etag", `"${sha256(large)}"`);
      return false;
    },
  });
  const phases = new Set<string>();
  await pull(server);
  await pull(server, { onprogress: ({ phase }) => phases.add(phase) });
  expect([...phases]).toEqual([]);
  await pull(server, { integrity: sha256(large), onprogress: ({ phase }) => phases.add(phase) });
  expect([...phases]).toEqual(["verify"]);
});
