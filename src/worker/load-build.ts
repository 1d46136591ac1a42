import { InferenceError } from "../errors.ts";
import type { WllamaAssets } from "../engine/wllama-assets.ts";
import type { WllamaBuild } from "../engine/wllama-module.ts";
import { builtinModule } from "../platform/detect.ts";
import { supportsMemory64 } from "../platform/features.ts";

// Never fetched: nested workers are handed the bytes, and know them by this name.
const placeholderUrl = "http://localhost/wllama.wasm";

interface FileSystem {
  readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Chooses the build that this host can run, and gets it.
 *
 * @param outside Whether this is no browser.
 * @throws {InferenceError} `network`
 */
export async function loadBuild(
  assets: WllamaAssets,
  outside: boolean,
): Promise<{ build: WllamaBuild; bytes: Uint8Array<ArrayBuffer> }> {
  const memory = supportsMemory64() ? "wasm64" : "wasm32";
  const bytes = await readAsset(memory === "wasm64" ? assets.wasm64 : assets.wasm32);
  const wasmUrl = outside ? placeholderUrl : URL.createObjectURL(new Blob([bytes], { type: "application/wasm" }));
  if (memory === "wasm64") return { build: { memory, wasmUrl }, bytes };
  const script = new TextDecoder().decode(await readAsset(assets.wasm32Script));
  return { build: { memory, wasmUrl, script }, bytes };
}

async function readAsset(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (url.startsWith("file:")) {
      const files = builtinModule<FileSystem>("node:fs/promises");
      if (!files) throw new Error("this host reads no file: URLs");
      return await files.readFile(new URL(url));
    }
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InferenceError("network", `Cannot get the engine's file ${url}: ${reason}; give its place as wasm.url`, {
      cause: error,
      details: { url },
    });
  }
}
