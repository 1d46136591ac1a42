/** Where the files of wllama's WebAssembly builds are; `file:` or `http(s):` URLs. */
export interface WllamaAssets {
  /** 64-bit memory; needs a host with memory64, tables included. */
  readonly wasm64: string;
  /** 32-bit memory, for all others; slower. */
  readonly wasm32: string;
  /** The JavaScript that belongs to the 32-bit build. */
  readonly wasm32Script: string;
}

/**
 * The assets of this package.
 *
 * @param wasmUrl Used for the WebAssembly file in place of ours, whichever build the host needs.
 */
export function wllamaAssets(wasmUrl?: string | URL): WllamaAssets {
  const own = wasmUrl === undefined ? undefined : absolute(wasmUrl);
  return {
    wasm64: own ?? new URL("../../node_modules/@wllama/wllama/esm/wasm/wllama.wasm", import.meta.url).href,
    wasm32: own ?? new URL("../../node_modules/@wllama/wllama-compat/wasm/wllama.wasm", import.meta.url).href,
    wasm32Script: new URL("../../node_modules/@wllama/wllama-compat/wasm/wllama.js", import.meta.url).href,
  };
}

function absolute(url: string | URL): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  return new URL(url, base).href;
}
