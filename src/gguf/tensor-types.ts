/** How one ggml tensor type is stored: `block` elements of a row take `bytes` bytes. */
export interface TensorType {
  readonly name: string;
  readonly block: number;
  readonly bytes: number;
}

// Why not the tables of @huggingface/gguf 0.4.6: it exports names but not sizes (and has them only as bits a weight,
// without the block a row must be a multiple of); it draws in @huggingface/tasks, 235 kB minified; and bundlers for
// browsers stop at the Node built-ins that its export map reaches. Its parser takes a URL only, reads strings short
// without a word at the end of its window, puts the file's keys on a plain object, checks neither alignment nor tensor
// offsets, and re-reads an array from the start for each chunk. So it serves as the tests' second opinion, not here.
const types: Readonly<Record<number, TensorType>> = {
  0: { name: "F32", block: 1, bytes: 4 },
  1: { name: "F16", block: 1, bytes: 2 },
  2: { name: "Q4_0", block: 32, bytes: 18 },
  3: { name: "Q4_1", block: 32, bytes: 20 },
  6: { name: "Q5_0", block: 32, bytes: 22 },
  7: { name: "Q5_1", block: 32, bytes: 24 },
  8: { name: "Q8_0", block: 32, bytes: 34 },
  9: { name: "Q8_1", block: 32, bytes: 36 },
  10: { name: "Q2_K", block: 256, bytes: 84 },
  11: { name: "Q3_K", block: 256, bytes: 110 },
  12: { name: "Q4_K", block: 256, bytes: 144 },
  13: { name: "Q5_K", block: 256, bytes: 176 },
  14: { name: "Q6_K", block: 256, bytes: 210 },
  15: { name: "Q8_K", block: 256, bytes: 292 },
  16: { name: "IQ2_XXS", block: 256, bytes: 66 },
  17: { name: "IQ2_XS", block: 256, bytes: 74 },
  18: { name: "IQ3_XXS", block: 256, bytes: 98 },
  19: { name: "IQ1_S", block: 256, bytes: 50 },
  20: { name: "IQ4_NL", block: 32, bytes: 18 },
  21: { name: "IQ3_S", block: 256, bytes: 110 },
  22: { name: "IQ2_S", block: 256, bytes: 82 },
  23: { name: "IQ4_XS", block: 256, bytes: 136 },
  24: { name: "I8", block: 1, bytes: 1 },
  25: { name: "I16", block: 1, bytes: 2 },
  26: { name: "I32", block: 1, bytes: 4 },
  27: { name: "I64", block: 1, bytes: 8 },
  28: { name: "F64", block: 1, bytes: 8 },
  29: { name: "IQ1_M", block: 256, bytes: 56 },
  30: { name: "BF16", block: 1, bytes: 2 },
  34: { name: "TQ1_0", block: 256, bytes: 54 },
  35: { name: "TQ2_0", block: 256, bytes: 66 },
  39: { name: "MXFP4", block: 32, bytes: 17 },
  40: { name: "NVFP4", block: 64, bytes: 36 },
  41: { name: "Q1_0", block: 128, bytes: 18 },
  42: { name: "Q2_0", block: 64, bytes: 18 },
};

/** The type with this number in a GGUF file, or undefined if llama.cpp has none (any more). */
export function tensorType(id: number): TensorType | undefined {
  return types[id];
}
