import type { WllamaAssets } from "../engine/wllama-assets.ts";
import type { WllamaBuild } from "../engine/wllama-module.ts";
import { supportsMemory64 } from "../platform/features.ts";
import { readAsset } from "../platform/read-asset.ts";

// Never fetched: nested workers are handed the bytes, and know them by this name.
const placeholderUrl = "http://localhost/wllama.wasm";

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
