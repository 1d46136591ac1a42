import { InferenceError } from "../errors.ts";
import { builtinModule } from "./detect.ts";

interface FileSystem {
  readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Reads one of the engine's own files.
 *
 * @param url `file:` or `http(s):`.
 * @throws {InferenceError} `network`, with `details.url`
 */
export function readAsset(url: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  return getting({ url, signal }, async () => {
    if (url.startsWith("file:")) return readFile(url);
    return new Uint8Array(await (await request(url, signal)).arrayBuffer());
  });
}

/**
 * Compiles one of the engine's own files, as it comes where the host can: browsers keep what they compiled so for the next
 * visit.
 *
 * @param url `file:` or `http(s):`.
 * @throws {InferenceError} `network`, with `details.url`
 * @throws {WebAssembly.CompileError}
 */
export function compileAsset(url: string, signal?: AbortSignal): Promise<WebAssembly.Module> {
  return getting({ url, signal }, async () => {
    if (url.startsWith("file:")) return WebAssembly.compile(await readFile(url));
    const response = await request(url, signal);
    // Under another type no host would.
    const canStream = response.headers.get("content-type") === "application/wasm" && "compileStreaming" in WebAssembly;
    return canStream ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
  });
}

async function readFile(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const files = builtinModule<FileSystem>("node:fs/promises");
  if (!files) throw new Error("this host reads no file: URLs");
  return files.readFile(new URL(url));
}

async function request(url: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(url, signal ? { signal } : {});
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response;
}

async function getting<T>(
  { url, signal }: { url: string; signal: AbortSignal | undefined },
  get: () => Promise<T>,
): Promise<T> {
  try {
    return await get();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof WebAssembly.CompileError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InferenceError("network", `Cannot get the engine's file ${url}: ${reason}; give its place as wasm.url`, {
      cause: error,
      details: { url },
    });
  }
}
