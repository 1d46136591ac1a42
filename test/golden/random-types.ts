// Two more types of tensor than the benchmark's models have, filled with random weights of mean 0 likewise.
import { tensorTypes } from "../../bench/random/tensor-types.ts";
import type { TensorType } from "../../bench/random/tensor-types.ts";

/** Of all weights, as in the benchmark's types. */
const deviation = 0.02;

function shapeF16(bytes: Uint8Array): void {
  const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const weights = new Float16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  // An even distribution: its deviation is the range's half divided by the root of 3.
  for (const [at, random] of words.entries()) weights[at] = (random / 32_767.5 - 1) * Math.sqrt(3) * deviation;
}

/**
 * A scale, one of the minimums, 12 bytes of packed 6-bit scales and minimums, 32 of fifth bits, 128 of low bits. Each
 * part's scale and minimum are the same number: 15.5 steps below 0 begin 32 steps whose middle is 0.
 */
function shapeQ5K(bytes: Uint8Array): void {
  const heads = new DataView(bytes.buffer, bytes.byteOffset);
  for (let block = 0; block < bytes.length; block += 176) {
    // Parts' scales are 24 to 39, and 32 even steps have a deviation of 9.23 of them.
    const scale = (deviation / 9.23 / 32) * (0.7 + (0.6 * (bytes[block] ?? 0)) / 255);
    heads.setFloat16(block, scale, true);
    heads.setFloat16(block + 2, scale * 15.5, true);
    for (let part = block + 4; part < block + 8; part += 1) {
      const low = 24 + ((bytes[part] ?? 0) & 15);
      const high = 24 + ((bytes[part + 4] ?? 0) & 15);
      bytes[part] = low | ((high >> 4) << 6);
      bytes[part + 4] = low | ((high >> 4) << 6);
      bytes[part + 8] = (high & 15) | ((high & 15) << 4);
    }
  }
}

export const randomTypes = {
  ...tensorTypes,
  F16: { id: 1, blockSize: 1, blockBytes: 2, shape: shapeF16 },
  Q5_K: { id: 13, blockSize: 256, blockBytes: 176, shape: shapeQ5K },
} as const satisfies Record<string, TensorType>;

export type RandomTypeName = keyof typeof randomTypes;
