// The modules that the build makes, for tests.
import { readFile } from "node:fs/promises";
import { llamaAsset } from "../../../src/engine/llama-assets.ts";
import type { Variant } from "../../../src/engine/variant.ts";
import { createMemory } from "../../../src/wasm/memory.ts";
import { WasmModule } from "../../../src/wasm/module.ts";

export const variants: ReadonlyMap<string, Variant> = new Map([
  ["ruminate-32", { bits: 32, shared: false, simd: "relaxed" }],
  ["ruminate-32-fixed", { bits: 32, shared: false, simd: "fixed" }],
  ["ruminate-32-threads", { bits: 32, shared: true, simd: "relaxed" }],
  ["ruminate-32-threads-fixed", { bits: 32, shared: true, simd: "fixed" }],
  ["ruminate-64-threads", { bits: 64, shared: true, simd: "relaxed" }],
]);

export function moduleBytes(variant: Variant): Promise<Buffer<ArrayBuffer>> {
  return readFile(llamaAsset(variant));
}

/** What starts a module as often as one is wanted, compiled once. */
export async function moduleStarter(variant: Variant): Promise<() => Promise<WasmModule>> {
  const module = await WebAssembly.compile(await moduleBytes(variant));
  const { bits, shared } = variant;
  return () => WasmModule.start({ module, bits, memory: createMemory({ bits, shared }) });
}
