import type { Variant } from "./variant.ts";

/** Where a module of this package is. Each address stands whole, so that bundlers find the file and carry it along. */
export function llamaAsset({ bits, shared, simd }: Variant): URL {
  if (bits === 64) return new URL("../../wasm/dist/ruminate-64-threads.wasm", import.meta.url);
  if (shared) {
    return simd === "relaxed"
      ? new URL("../../wasm/dist/ruminate-32-threads.wasm", import.meta.url)
      : new URL("../../wasm/dist/ruminate-32-threads-fixed.wasm", import.meta.url);
  }
  return simd === "relaxed"
    ? new URL("../../wasm/dist/ruminate-32.wasm", import.meta.url)
    : new URL("../../wasm/dist/ruminate-32-fixed.wasm", import.meta.url);
}
