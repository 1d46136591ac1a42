import type { WllamaAssets } from "../engine/wllama-assets.ts";
import type { WllamaBuild } from "../engine/wllama-module.ts";
import { readAsset } from "../platform/read-asset.ts";

// Never fetched: nested workers are handed the bytes, and know them by this name.
const placeholderUrl = "http://localhost/wllama.wasm";

/**
 * Gets a build's files.
 *
 * @param outside Whether this is no browser.
 * @throws {InferenceError} `network`
 */
export async function loadBuild(
  { memory, wasm, script }: WllamaAssets,
  outside: boolean,
): Promise<{ build: WllamaBuild; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = await readAsset(wasm);
  const wasmUrl = outside ? placeholderUrl : URL.createObjectURL(new Blob([bytes], { type: "application/wasm" }));
  if (script === undefined) return { build: { memory, wasmUrl }, bytes };
  return { build: { memory, wasmUrl, script: new TextDecoder().decode(await readAsset(script)) }, bytes };
}
