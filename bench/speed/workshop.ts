// What subjects need while they are measured: a server for pages, native binaries for AVX2; all gone at the end.
import { cp, mkdtemp, rm, stat } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { byteRange, serve } from "../../test/conformance/server.ts";
import type { Route, StaticServer } from "../../test/conformance/server.ts";
import { nativePackage } from "./subjects.ts";

const root = new URL("../../", import.meta.url);

export interface Workshop extends AsyncDisposable {
  /** The module of native binaries that hold no variant of the CPU code but AVX2's. */
  avx2Binaries(): Promise<string>;
  /** The origin of a server that has a model at `/model.gguf`. */
  origin(model: string): Promise<string>;
}

export function openWorkshop(): Workshop {
  let folder: string | undefined;
  let server: { readonly model: string; readonly running: StaticServer } | undefined;
  return {
    async avx2Binaries() {
      if (folder === undefined) {
        folder = await mkdtemp(join(tmpdir(), "ruminate-bench-"));
        // llama.cpp loads the best of the variants that it finds beside itself.
        await cp(nativePackage, folder, {
          recursive: true,
          filter: (path) => !basename(path).startsWith("libggml-cpu-") || basename(path) === "libggml-cpu-haswell.so",
        });
      }
      return join(folder, "dist", "index.js");
    },
    async origin(model) {
      if (server?.model !== model) {
        await server?.running[Symbol.asyncDispose]();
        server = { model, running: await serve(root, { "/model.gguf": fileRoute(model) }) };
      }
      return server.running.origin;
    },
    async [Symbol.asyncDispose]() {
      await server?.running[Symbol.asyncDispose]();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function fileRoute(path: string): Route {
  return async (request, response) => {
    const { size } = await stat(path);
    const asked = byteRange(request.headers.range, size);
    const range = asked === "unsatisfiable" ? undefined : asked;
    const { start, end } = range ?? { start: 0, end: size - 1 };
    response.writeHead(range ? 206 : 200, {
      "accept-ranges": "bytes",
      "content-type": "application/octet-stream",
      "content-length": end - start + 1,
      ...(range ? { "content-range": `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(path, { start, end }).pipe(response);
  };
}
