import { InferenceError } from "../errors.ts";
import type { GgufTensor } from "./header.ts";
import { headerError } from "./header-error.ts";
import type { ModelHeader } from "./model-header.ts";

/** Bytes that a model takes once loaded. */
export interface MemoryEstimate {
  /** The tensors, as our engine lays them out. */
  readonly weights: number;
  /** The KV cache at the context size asked about. */
  readonly kv: number;
  /** Scratch space of one evaluation: an upper estimate. */
  readonly compute: number;
  readonly total: number;
}

export interface EstimateOptions {
  /** Tokens, at least 1. */
  readonly contextSize: number;
  /** Default: `f16`. */
  readonly kvType?: "f16" | "q8_0" | "q4_0";
  /** Tokens evaluated at once; default: 512, llama.cpp's physical batch. */
  readonly batchSize?: number;
  /** Whether attention is computed without its score matrix; default: true, as llama.cpp does on CPU. */
  readonly flashAttention?: boolean;
}

// A block of 32 values takes 34 bytes (q8_0) or 18 (q4_0).
const bytesPerValue: Readonly<Record<"f16" | "q8_0" | "q4_0", number>> = {
  f16: 2,
  q8_0: 34 / 32,
  q4_0: 18 / 32,
};
const floatBytes = 4;
/** Bytes of eight rows' blocks as our kernels want them beside those in a file; other types take the same. */
const panelBytes: ReadonlyMap<string, { readonly file: number; readonly panel: number }> = new Map([
  ["Q4_K", { file: 8 * 144, panel: 64 + 8 * 144 }],
  ["Q5_K", { file: 8 * 176, panel: 64 + 8 * 176 }],
  ["Q6_K", { file: 8 * 210, panel: 32 + 8 * 208 }],
]);

/** A positive number of the architecture, such as `glm4.block_count`. */
function shapeNumber(header: ModelHeader, key: string, fallback?: number): number {
  const value = header.metadata.get(`${header.architecture}.${key}`) ?? fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw headerError(header.label, `"${header.architecture}.${key}" is ${String(value)}; a positive integer is wanted`);
}

/** KV heads over all layers; a file gives one number or one a layer. */
function kvHeads(header: ModelHeader, layers: number): number {
  const value = header.metadata.get(`${header.architecture}.attention.head_count_kv`);
  if (Array.isArray(value)) {
    const heads = value.slice(0, layers).filter((count) => typeof count === "number" && count > 0);
    return heads.reduce((sum, count) => sum + count, 0);
  }
  return layers * shapeNumber(header, "attention.head_count_kv", attentionHeads(header));
}

function attentionHeads(header: ModelHeader): number {
  const value = header.metadata.get(`${header.architecture}.attention.head_count`);
  if (!Array.isArray(value)) return shapeNumber(header, "attention.head_count");
  return value.reduce(
    (largest: number, count: unknown) => (typeof count === "number" ? Math.max(largest, count) : largest),
    1,
  );
}

/** Bytes of the tensors in memory. An embedding that is the output's matrix too is there twice: for rows, and as panels. */
function weightBytes(tensors: readonly GgufTensor[]): number {
  const embedding = tensors.find(({ name }) => name === "token_embd.weight");
  const isTied = !tensors.some(({ name }) => name === "output.weight");
  const all = embedding && isTied ? [...tensors, embedding] : tensors;
  return all.reduce((sum, { type, bytes }) => {
    const grown = panelBytes.get(type);
    return sum + (grown ? Math.ceil((bytes / grown.file) * grown.panel) : bytes);
  }, 0);
}

/**
 * How much memory a model will take, from its header alone.
 *
 * `kv` is exact for plain attention: KV heads of all layers x (key + value length) x context x bytes a value; for
 * sliding windows, recurrent layers and latent attention it is an upper bound. `compute` is the largest intermediate of
 * one batch in 32-bit floats (logits of the vocabulary, feed-forward, or without flash attention the scores of all
 * heads) plus four rows of the embedding a token and the attention mask. Measured against llama.cpp on CPU with a
 * vocabulary of 151,552, embedding 2,048, 16 heads and a context of 8,192: 312 MiB taken (308 without flash attention),
 * 328 estimated.
 *
 * @throws {InferenceError} `format` if the header lacks the numbers
 * @throws {RangeError} if `contextSize` or `batchSize` is not a positive integer
 */
export function estimateMemory(header: ModelHeader, options: EstimateOptions): MemoryEstimate {
  const { contextSize, kvType = "f16", batchSize = 512, flashAttention = true } = options;
  if (!Number.isSafeInteger(contextSize) || contextSize < 1)
    throw new RangeError(`contextSize is ${contextSize}; at least 1 token is wanted`);
  if (!Number.isSafeInteger(batchSize) || batchSize < 1)
    throw new RangeError(`batchSize is ${batchSize}; at least 1 token is wanted`);
  const layers = shapeNumber(header, "block_count");
  const embedding = shapeNumber(header, "embedding_length");
  const heads = attentionHeads(header);
  const headSize = Math.ceil(embedding / heads);
  const keyLength = shapeNumber(header, "attention.key_length", headSize);
  const valueLength = shapeNumber(header, "attention.value_length", headSize);
  const vocabulary = header.metadata.get("tokenizer.ggml.tokens");

  const weights = weightBytes(header.tensors);
  const kv = Math.ceil(kvHeads(header, layers) * (keyLength + valueLength) * contextSize * bytesPerValue[kvType]);
  const batch = Math.min(batchSize, contextSize);
  const widest = Math.max(
    Array.isArray(vocabulary) ? vocabulary.length : 0,
    2 * shapeNumber(header, "feed_forward_length", 4 * embedding),
    flashAttention ? 0 : heads * contextSize,
  );
  const compute = batch * floatBytes * (widest + 4 * embedding + contextSize);
  return { weights, kv, compute, total: weights + kv + compute };
}

const gib = (bytes: number): string => {
  const value = bytes / 2 ** 30;
  return value < 0.1 ? value.toPrecision(2) : value.toFixed(2);
};

/**
 * Refuses a model that needs more memory than there is.
 *
 * @param limitBytes What the host allows.
 * @throws {InferenceError} `memory` with `{ needed, limit, weights, kv, compute }` in bytes
 */
export function checkFits(estimate: MemoryEstimate, limitBytes: number, name: string): void {
  if (estimate.total <= limitBytes) return;
  const { weights, kv, compute, total } = estimate;
  const remedy =
    weights > limitBytes ? "use a smaller quantization" : "use a smaller quantization or fewer context tokens";
  throw new InferenceError(
    "memory",
    `Cannot load ${name}: it needs ${gib(total)} GiB (weights ${gib(weights)}, context ${gib(kv)}, computing ${gib(compute)}) and this host allows ${gib(limitBytes)} GiB; ${remedy}`,
    { details: { needed: total, limit: limitBytes, weights, kv, compute } },
  );
}
