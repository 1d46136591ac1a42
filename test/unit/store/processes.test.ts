import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyOf } from "../../../src/gguf/entry.ts";
import { diskStore } from "../../../src/store/disk-store.ts";
import type { FileServer } from "../../file-server.ts";
import { sendFile, serve } from "../../file-server.ts";
import { large, mib } from "../gguf/large-model.ts";
import { served } from "./fault-server.ts";

const size = large.byteLength;
const digest = createHash("sha256").update(large).digest("hex");
let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate-store-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; out: string }>;
}

function start(server: FileServer): Running {
  const script = join(import.meta.dirname, "pull-process.ts");
  const child = spawn(process.execPath, [script, `${server.base}/m.gguf`, folder, digest], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let out = "";
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, out }))) };
}

/** Serves the weights, but holds every answer at `hold()` bytes of the file until it is raised. */
function serveHeld(hold: () => number): Promise<FileServer> {
  return serve(async (request, response) => {
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.range ?? "") ?? [];
    const headers = { etag: '"one"' };
    if (to) return sendFile(request, response, { bytes: large, headers });
    response.writeHead(206, {
      "content-range": `bytes ${from}-${size - 1}/${size}`,
      "content-length": size - Number(from),
      ...headers,
    });
    for (let at = Number(from); at < size && !response.destroyed;) {
      const end = Math.min(hold(), size, at + mib);
      if (end > at) {
        response.write(large.subarray(at, end));
        request.sent += end - at;
        at = end;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    response.end();
  });
}

const partSize = async (server: FileServer): Promise<number> =>
  (await diskStore({ folder }).partial?.(keyOf(`${server.base}/m.gguf`)))?.size ?? 0;

async function until(test: () => Promise<boolean>): Promise<void> {
  while (!(await test())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function expectWhole(server: FileServer): Promise<void> {
  const blob = await diskStore({ folder }).open(keyOf(`${server.base}/m.gguf`));
  expect(Buffer.compare(new Uint8Array((await blob?.arrayBuffer()) ?? []), large)).toBe(0);
  expect(await readdir(join(folder, "incomplete"))).toEqual([]);
}

test("a process that is killed leaves a part, from which the next goes on", async () => {
  let hold = 9 * mib;
  await using server = await serveHeld(() => hold);
  const first = start(server);
  await until(async () => (await partSize(server)) === hold);
  first.child.kill("SIGKILL");
  await first.ended;
  expect(await diskStore({ folder }).open(keyOf(`${server.base}/m.gguf`))).toBeNull();
  expect(await readdir(join(folder, "incomplete"))).toContain(`${keyOf(`${server.base}/m.gguf`)}.lock`);
  const before = served(server);
  hold = size;
  expect((await start(server).ended).code).toBe(0);
  expect(served(server) - before).toBe(size - 9 * mib);
  await expectWhole(server);
});

test("two processes at once share one download, and the second tells how far it is", async () => {
  let hold = 6 * mib;
  await using server = await serveHeld(() => hold);
  const first = start(server);
  await until(async () => (await partSize(server)) === 6 * mib);
  const second = start(server);
  // It has read the header.
  await until(async () => server.requests.length === 3);
  const timer = setInterval(() => {
    hold += 2 * mib;
  }, 150);
  const results = await Promise.all([first.ended, second.ended]);
  clearInterval(timer);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  // The second one's look at the header goes on from the part; it is all that comes twice.
  expect(served(server)).toBeLessThanOrEqual(size + mib);
  const seen = JSON.parse(results[1]?.out ?? "[]") as number[];
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.at(-1)).toBe(size);
  await expectWhole(server);
});

test("the second process takes over when the first is killed", async () => {
  let hold = 6 * mib;
  await using server = await serveHeld(() => hold);
  const first = start(server);
  await until(async () => (await partSize(server)) === 6 * mib);
  const second = start(server);
  await until(async () => server.requests.length === 3);
  first.child.kill("SIGKILL");
  await server.requests[1]?.finished;
  hold = size;
  expect((await second.ended).code).toBe(0);
  expect(served(server)).toBe(size);
  await expectWhole(server);
});
