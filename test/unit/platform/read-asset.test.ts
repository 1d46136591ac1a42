import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { compileAsset, readAsset } from "../../../src/platform/read-asset.ts";
import type { Manners } from "../../file-server.ts";
import { serve } from "../../file-server.ts";
import { root } from "../../../scripts/command.ts";

// The smallest module: its magic and its version.
const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const as =
  (type: string, body: Uint8Array = empty): Manners =>
  (_, response) =>
    void response.writeHead(200, { "content-type": type }).end(body);

describe("compileAsset()", () => {
  test("compiles as it comes what has the right type, and after that what has not", async () => {
    const streaming = vi.spyOn(WebAssembly, "compileStreaming");
    try {
      for (const [type, times] of [
        ["application/wasm", 1],
        ["application/octet-stream", 0],
      ] as const) {
        streaming.mockClear();
        await using server = await serve(as(type));
        expect(await compileAsset(server.base)).toBeInstanceOf(WebAssembly.Module);
        expect(streaming).toHaveBeenCalledTimes(times);
      }
    } finally {
      streaming.mockRestore();
    }
  });

  test("compiles a file", async () => {
    const file = pathToFileURL(`${root}/node_modules/@wllama/wllama/esm/wasm/wllama.wasm`);
    expect(readFileSync(file).byteLength).toBeGreaterThan(0);
    expect(await compileAsset(file.href)).toBeInstanceOf(WebAssembly.Module);
  });

  test("says that it can't be had, of what breaks off or is not there, and where it was sought", async () => {
    const breaksOff: Manners = (_, response) => {
      response.writeHead(200, { "content-type": "application/wasm", "content-length": 1000 });
      response.write(empty, () => response.destroy());
    };
    const missing: Manners = (_, response) => void response.writeHead(404).end();
    for (const manners of [breaksOff, missing]) {
      await using server = await serve(manners);
      const refusal = { code: "network", details: { url: server.base }, message: expect.stringContaining("wasm.url") };
      await expect(compileAsset(server.base)).rejects.toMatchObject(refusal);
      await expect(readAsset(server.base)).rejects.toMatchObject(refusal);
    }
  });

  test("leaves it to the caller to say that it is no module", async () => {
    for (const type of ["application/wasm", "text/html"]) {
      await using server = await serve(as(type, new TextEncoder().encode("<!doctype html>")));
      await expect(compileAsset(server.base)).rejects.toBeInstanceOf(WebAssembly.CompileError);
    }
  });

  test("rejects with the signal's reason", async () => {
    const stop = new AbortController();
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/wasm", "content-length": 1000 }).write(empty);
      stop.abort(new Error("enough"));
    });
    const error: unknown = await compileAsset(server.base, stop.signal).catch((reason: unknown) => reason);
    expect(error).toBe(stop.signal.reason);
  });
});
