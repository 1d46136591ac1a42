// What the cases fetch beside the repository's own files; made when the suite starts, gone when it ends.
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { hugeGguf } from "../fixtures/huge-gguf.ts";
import { splitGguf } from "../fixtures/split-gguf.ts";
import { byteRange } from "./server.ts";
import type { Route } from "./server.ts";

export interface Fixtures extends AsyncDisposable {
  /** Paths of the two halves of the model, in order. */
  readonly shards: readonly string[];
  readonly routes: Readonly<Record<string, Route>>;
}

/** Splits the model in two files, and prepares a model that is far too large. */
export async function makeFixtures(model: URL): Promise<Fixtures> {
  const folder = await mkdtemp(join(tmpdir(), "ruminate-conformance-"));
  const halves = splitGguf(await readFile(model), 2);
  const shards: string[] = [];
  const routes: Record<string, Route> = { ...hugeRoutes() };
  for (const [index, bytes] of halves.entries()) {
    const name = `nano-0000${index + 1}-of-0000${halves.length}.gguf`;
    const path = join(folder, name);
    await writeFile(path, bytes);
    shards.push(path);
    routes[`/fixtures/${name}`] = (request, response) => send(bytes, request, response);
  }
  return { shards, routes, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

function send(bytes: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const range = byteRange(request.headers.range, bytes.length);
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: bytes.length - 1 };
  response.writeHead(range ? 206 : 200, {
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(range ? { "content-range": `bytes ${start}-${end}/${bytes.length}` } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : bytes.subarray(start, end + 1));
}

/** A model of 40 GB: a true header, then zeros for as long as somebody takes them, and how many bytes each run took. */
function hugeRoutes(): Record<string, Route> {
  const { header, sizeBytes } = hugeGguf();
  const zeros = new Uint8Array(64 << 10);
  const sent = new Map<string, number>();
  const run = (url: URL): string => url.searchParams.get("run") ?? "";
  return {
    "/fixtures/huge-sent": (_, response, url) => {
      response.writeHead(200, { "content-type": "application/json" }).end(String(sent.get(run(url)) ?? 0));
    },
    "/fixtures/huge.gguf": async (request, response, url) => {
      const range = byteRange(request.headers.range, sizeBytes);
      const { start, end } =
        range === undefined || range === "unsatisfiable" ? { start: 0, end: sizeBytes - 1 } : range;
      response.writeHead(range ? 206 : 200, {
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        "content-length": end - start + 1,
        ...(range ? { "content-range": `bytes ${start}-${end}/${sizeBytes}` } : {}),
      });
      const gone = once(response, "close");
      for (let at = start; at <= end && request.method !== "HEAD" && !response.destroyed;) {
        const chunk = at < header.length ? header.subarray(at, end + 1) : zeros.subarray(0, end + 1 - at);
        at += chunk.length;
        sent.set(run(url), (sent.get(run(url)) ?? 0) + chunk.length);
        if (!response.write(chunk)) await Promise.race([once(response, "drain"), gone]);
      }
      response.end();
    },
  };
}
