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
export async function readAsset(url: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (url.startsWith("file:")) {
      const files = builtinModule<FileSystem>("node:fs/promises");
      if (!files) throw new Error("this host reads no file: URLs");
      return await files.readFile(new URL(url));
    }
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new InferenceError("network", `Cannot get the engine's file ${url}: ${reason}; give its place as wasm.url`, {
      cause: error,
      details: { url },
    });
  }
}
