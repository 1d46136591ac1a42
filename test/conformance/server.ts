import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const mimeTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".gguf": "application/octet-stream",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Answers a path of its own; every other one is a file of the repository. */
export type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;
export interface StaticServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
}

/**
 * Serves the repository on a free port of this machine: right types, byte ranges, open to other origins. TypeScript is
 * served with its types taken out, so that a page imports what Node imports. The same files under `/isolated/` come with
 * the headers that isolate a page from other origins, under `/plain/` without.
 *
 * @param headers For every answer.
 */
export async function serve(
  root: URL,
  routes: Readonly<Record<string, Route>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<StaticServer> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(root, routes, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function answer(
  root: URL,
  routes: Readonly<Record<string, Route>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const [, mode, path] = /^\/(isolated|plain)(\/.*)$/.exec(url.pathname) ?? [undefined, "plain", url.pathname];
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-allow-headers", "*");
  response.setHeader("access-control-expose-headers", "accept-ranges, content-length, content-range");
  response.setHeader("cache-control", "no-store");
  response.setHeader("cross-origin-resource-policy", "cross-origin");
  if (mode === "isolated") {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
  }
  if (request.method === "OPTIONS") {
    response.writeHead(204).end();
    return;
  }
  const route = path === undefined ? undefined : routes[path];
  if (route) await route(request, response, url);
  else await sendFile(new URL(`.${path ?? "/"}`, root), root, request, response);
}

async function sendFile(file: URL, root: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = fileURLToPath(file);
  const found = file.href.startsWith(root.href) ? await stat(path).catch(() => undefined) : undefined;
  if (!found?.isFile()) {
    response.writeHead(404, { "content-type": "text/plain" }).end(`There is no ${file.pathname}`);
    return;
  }
  const type = extname(path);
  response.setHeader("content-type", mimeTypes[type] ?? "application/octet-stream");
  if (type === ".ts") {
    response.end(stripTypeScriptTypes(await readFile(path, "utf8")));
    return;
  }
  const range = byteRange(request.headers.range, found.size);
  response.setHeader("accept-ranges", "bytes");
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${found.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  response.writeHead(range ? 206 : 200, {
    "content-length": end - start + 1,
    ...(range ? { "content-range": `bytes ${start}-${end}/${found.size}` } : {}),
  });
  if (request.method === "HEAD" || found.size === 0) response.end();
  else
    createReadStream(path, { start, end })
      .on("error", (error) => response.destroy(error))
      .pipe(response);
}

/** The bytes that a Range header asks for, both ends included; undefined: the whole. */
export function byteRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || first + last === "") return undefined;
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? "unsatisfiable" : { start, end };
}
