// Models of GLM's architecture with random weights: as fast and as large as real ones, without a download.
import { createCipheriv, createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { aligned, ggufHead } from "./random/gguf-writer.ts";
import type { MetadataValue } from "./random/gguf-writer.ts";
import { tensorTypes } from "./random/tensor-types.ts";
import type { TensorTypeName } from "./random/tensor-types.ts";
import { makeVocabulary } from "./random/vocabulary.ts";
import type { Vocabulary } from "./random/vocabulary.ts";

export interface ModelShape {
  readonly layers: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  readonly context: number;
}

/** Quantizations: each gives the type of a tensor. */
export type Recipe = "Q4_0" | "Q8_0" | "Q4_K" | "Q4_K_M";

export interface Tensor {
  readonly name: string;
  readonly dimensions: readonly [number] | readonly [number, number];
  readonly type: TensorTypeName;
  readonly bytes: number;
}

/** As llama.cpp numbers a whole file's type. */
const fileTypes: Record<Recipe, number> = { Q4_0: 2, Q8_0: 7, Q4_K: 14, Q4_K_M: 15 };

/** Bytes made at a time. */
const chunkBytes = 2 ** 23;

export interface WriteOptions {
  readonly shape: ModelShape;
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
  readonly onprogress?: (written: number, total: number) => void;
}

/** Bytes of the file that {@link writeRandomModel} makes, but for its head. */
export function randomModelBytes(shape: ModelShape, recipe: Recipe): number {
  return tensorsOf(shape, recipe).reduce((sum, { bytes }) => sum + aligned(bytes), 0);
}

/** Number of weights. */
export function parametersOf(shape: ModelShape): number {
  return tensorsOf(shape, "Q4_0").reduce((sum, { dimensions: [first, second = 1] }) => sum + first * second, 0);
}

/**
 * Writes a GGUF file, always the same for the same options. It stands under its name once it is whole.
 *
 * Its control tokens are never the likeliest, so that a greedy run goes on for as long as it is asked to.
 */
export async function writeRandomModel(path: string, options: WriteOptions): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  try {
    await using file = await open(partial, "w");
    await writeAll(file, options);
    await file.sync();
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, path);
}

async function writeAll(
  file: { readonly writeFile: (bytes: Uint8Array) => Promise<void> },
  { shape, recipe, signal, onprogress }: WriteOptions,
): Promise<void> {
  const vocabulary = makeVocabulary(shape.vocabulary);
  const tensors = tensorsOf(shape, recipe);
  const total = randomModelBytes(shape, recipe);
  const entries = tensors.map((tensor) => ({ ...tensor, type: tensorTypes[tensor.type].id }));
  await file.writeFile(ggufHead(metadataOf(shape, recipe, vocabulary), entries));
  const random = randomBytes();
  let written = 0;
  for (const tensor of tensors) {
    const rowBytes = bytesOf(tensor.type, tensor.dimensions[0]);
    let muted = tensor.name === "output.weight" ? vocabulary.firstControl * rowBytes : Infinity;
    for (const bytes of weightsOf(tensor, random)) {
      signal.throwIfAborted();
      bytes.fill(0, Math.min(Math.max(0, muted), bytes.length));
      muted -= bytes.length;
      await file.writeFile(bytes);
      written += bytes.length;
      onprogress?.(written, total);
    }
    const padding = aligned(tensor.bytes) - tensor.bytes;
    if (padding > 0) await file.writeFile(new Uint8Array(padding));
    written += padding;
  }
}

/** A cipher's key stream: fast, and the same every time. */
function randomBytes(): (count: number) => Uint8Array {
  const key = createHash("sha256").update("ruminate benchmark").digest().subarray(0, 16);
  const cipher = createCipheriv("aes-128-ctr", key, new Uint8Array(16));
  const zeros = new Uint8Array(chunkBytes);
  return (count) => cipher.update(zeros.subarray(0, count));
}

/** Whole rows, as many as a chunk holds. */
function* weightsOf(tensor: Tensor, random: (count: number) => Uint8Array): Generator<Uint8Array> {
  const { shape } = tensorTypes[tensor.type];
  const rowBytes = bytesOf(tensor.type, tensor.dimensions[0]);
  const step = Math.max(1, Math.floor(chunkBytes / rowBytes)) * rowBytes;
  for (let at = 0; at < tensor.bytes; at += step) {
    const bytes = random(Math.min(step, tensor.bytes - at));
    shape(bytes);
    if (tensor.name.endsWith("norm.weight")) aroundOne(bytes);
    yield bytes;
  }
}

function aroundOne(bytes: Uint8Array): void {
  const weights = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (const [at, weight] of weights.entries()) weights[at] = 1 + weight;
}

function bytesOf(type: TensorTypeName, weights: number): number {
  const { blockSize, blockBytes } = tensorTypes[type];
  return (weights / blockSize) * blockBytes;
}

/** All tensors of a model, in the order of its file. */
export function tensorsOf(shape: ModelShape, recipe: Recipe): Tensor[] {
  const { layers, embedding, feedForward, heads, kvHeads, headSize, vocabulary } = shape;
  const queries = heads * headSize;
  const keys = kvHeads * headSize;
  const vector = (name: string, size: number): Tensor => tensor(name, "F32", [size]);
  const matrix = (name: string, [columns, rows]: [number, number], layer = 0): Tensor =>
    tensor(name, typeOf(name, recipe, { columns, layer, layers }), [columns, rows]);
  const tensors = [matrix("token_embd.weight", [embedding, vocabulary])];
  for (let layer = 0; layer < layers; layer += 1) {
    const block = `blk.${layer}`;
    tensors.push(
      vector(`${block}.attn_norm.weight`, embedding),
      matrix(`${block}.attn_q.weight`, [embedding, queries], layer),
      vector(`${block}.attn_q.bias`, queries),
      matrix(`${block}.attn_k.weight`, [embedding, keys], layer),
      vector(`${block}.attn_k.bias`, keys),
      matrix(`${block}.attn_v.weight`, [embedding, keys], layer),
      vector(`${block}.attn_v.bias`, keys),
      matrix(`${block}.attn_output.weight`, [queries, embedding], layer),
      vector(`${block}.post_attention_norm.weight`, embedding),
      vector(`${block}.ffn_norm.weight`, embedding),
      // Gate and up in one.
      matrix(`${block}.ffn_up.weight`, [embedding, 2 * feedForward], layer),
      matrix(`${block}.ffn_down.weight`, [feedForward, embedding], layer),
      vector(`${block}.post_ffw_norm.weight`, embedding),
    );
  }
  tensors.push(vector("output_norm.weight", embedding), matrix("output.weight", [embedding, vocabulary]));
  return tensors;
}

function tensor(name: string, type: TensorTypeName, dimensions: Tensor["dimensions"]): Tensor {
  const [columns, rows = 1] = dimensions;
  return { name, type, dimensions, bytes: bytesOf(type, columns) * rows };
}

/** What llama.cpp's own quantizer makes of a matrix, as far as these recipes go. */
function typeOf(
  name: string,
  recipe: Recipe,
  { columns, layer, layers }: { columns: number; layer: number; layers: number },
): TensorTypeName {
  if (recipe === "Q4_0" || recipe === "Q8_0") return recipe;
  const eighth = Math.floor(layers / 8);
  const better = layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
  const wanted =
    name === "output.weight" || (recipe === "Q4_K_M" && better && /attn_v|ffn_down/.test(name)) ? "Q6_K" : "Q4_K";
  if (columns % tensorTypes[wanted].blockSize === 0) return wanted;
  return wanted === "Q6_K" ? "Q8_0" : "Q5_0";
}

function metadataOf(shape: ModelShape, recipe: Recipe, vocabulary: Vocabulary): ReadonlyMap<string, MetadataValue> {
  const { idOf } = vocabulary;
  const end = { u32: idOf("<|endoftext|>") };
  return new Map<string, MetadataValue>([
    ["general.architecture", { text: "glm4" }],
    ["general.type", { text: "model" }],
    ["general.name", { text: "GLM shape with random weights" }],
    ["general.file_type", { u32: fileTypes[recipe] }],
    ["general.quantization_version", { u32: 2 }],
    ["glm4.block_count", { u32: shape.layers }],
    ["glm4.context_length", { u32: shape.context }],
    ["glm4.embedding_length", { u32: shape.embedding }],
    ["glm4.feed_forward_length", { u32: shape.feedForward }],
    ["glm4.attention.head_count", { u32: shape.heads }],
    ["glm4.attention.head_count_kv", { u32: shape.kvHeads }],
    ["glm4.attention.key_length", { u32: shape.headSize }],
    ["glm4.attention.value_length", { u32: shape.headSize }],
    ["glm4.attention.layer_norm_rms_epsilon", { f32: 1e-5 }],
    ["glm4.rope.freq_base", { f32: 10_000 }],
    ["glm4.rope.dimension_count", { u32: shape.headSize / 2 }],
    ["glm4.vocab_size", { u32: shape.vocabulary }],
    ["tokenizer.ggml.model", { text: "gpt2" }],
    ["tokenizer.ggml.pre", { text: "glm4" }],
    ["tokenizer.ggml.tokens", { texts: vocabulary.tokens }],
    ["tokenizer.ggml.token_type", { i32s: vocabulary.types }],
    ["tokenizer.ggml.merges", { texts: vocabulary.merges }],
    ["tokenizer.ggml.eos_token_id", end],
    ["tokenizer.ggml.padding_token_id", end],
    ["tokenizer.ggml.unknown_token_id", end],
    ["tokenizer.ggml.bos_token_id", end],
    ["tokenizer.ggml.eot_token_id", { u32: idOf("<|user|>") }],
    ["tokenizer.ggml.add_bos_token", { bool: false }],
    [
      "tokenizer.chat_template",
      { text: "[gMASK]<sop>{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{% endfor %}<|assistant|>\n" },
    ],
  ]);
}
