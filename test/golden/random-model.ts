// Small models of GLM's architecture with random weights, whose every matrix is of one type: whatever a kernel gets wrong
// shows in their logits.
import { createCipheriv, createHash } from "node:crypto";
import { aligned, ggufHead } from "../../bench/random/gguf-writer.ts";
import type { MetadataValue } from "../../bench/random/gguf-writer.ts";
import { makeVocabulary } from "../../bench/random/vocabulary.ts";
import { randomTypes } from "./random-types.ts";
import type { RandomTypeName } from "./random-types.ts";

// Rows are multiples of 256 weights: the blocks of K-quants. Eight query heads share two key heads, as GLM's share.
const layers = 4;
const embedding = 512;
const feedForward = 1024;
const heads = 8;
const kvHeads = 2;
const headSize = 64;
const vocabularySize = 1024;

/** Middles of norms: 1 but where the logits, or what attention looks at, would be all but even. */
const normMiddles: Readonly<Record<string, number>> = { attn_norm: 2.5, output_norm: 6 };

export interface RandomModelOptions {
  /** Of every matrix. */
  readonly type: RandomTypeName;
  readonly seed: number;
  /** Tokens that it says it was trained on. */
  readonly contextTrained: number;
}

interface Tensor {
  readonly name: string;
  readonly type: RandomTypeName;
  readonly dimensions: readonly number[];
}

/** The bytes of a GGUF file, always the same for the same options. */
export function randomModel(options: RandomModelOptions): Uint8Array {
  const tensors = tensorsOf(options.type);
  const random = randomBytes(options.seed);
  const head = ggufHead(
    metadataOf(options),
    tensors.map((tensor) => ({ ...tensor, type: randomTypes[tensor.type].id, bytes: bytesOf(tensor) })),
  );
  const parts = tensors.flatMap((tensor) => {
    const bytes = bytesOf(tensor);
    const weights = random(bytes);
    randomTypes[tensor.type].shape(weights);
    if (tensor.name.endsWith("norm.weight")) moveNorms(tensor.name, weights);
    return [weights, new Uint8Array(aligned(bytes) - bytes)];
  });
  return Buffer.concat([head, ...parts]);
}

/** A cipher's key stream: fast, and the same for the same seed. */
function randomBytes(seed: number): (count: number) => Uint8Array {
  const key = createHash("sha256").update(`ruminate golden ${seed}`).digest().subarray(0, 16);
  const cipher = createCipheriv("aes-128-ctr", key, new Uint8Array(16));
  // A buffer of its own: views of floats must begin at multiples of their size.
  return (count) => new Uint8Array(cipher.update(new Uint8Array(count)));
}

function moveNorms(name: string, bytes: Uint8Array): void {
  const middle = Object.entries(normMiddles).find(([part]) => name.includes(part))?.[1] ?? 1;
  const weights = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (const [at, weight] of weights.entries()) weights[at] = middle * (1 + weight);
}

function bytesOf({ type, dimensions }: Tensor): number {
  const { blockSize, blockBytes } = randomTypes[type];
  return (dimensions.reduce((product, size) => product * size, 1) / blockSize) * blockBytes;
}

function tensorsOf(type: RandomTypeName): Tensor[] {
  const queries = heads * headSize;
  const keys = kvHeads * headSize;
  const vector = (name: string, size: number): Tensor => ({ name, type: "F32", dimensions: [size] });
  const matrix = (name: string, columns: number, rows: number): Tensor => ({ name, type, dimensions: [columns, rows] });
  const block = (name: string): Tensor[] => [
    vector(`${name}.attn_norm.weight`, embedding),
    matrix(`${name}.attn_q.weight`, embedding, queries),
    vector(`${name}.attn_q.bias`, queries),
    matrix(`${name}.attn_k.weight`, embedding, keys),
    vector(`${name}.attn_k.bias`, keys),
    matrix(`${name}.attn_v.weight`, embedding, keys),
    vector(`${name}.attn_v.bias`, keys),
    matrix(`${name}.attn_output.weight`, queries, embedding),
    vector(`${name}.post_attention_norm.weight`, embedding),
    vector(`${name}.ffn_norm.weight`, embedding),
    // Gate and up in one.
    matrix(`${name}.ffn_up.weight`, embedding, 2 * feedForward),
    matrix(`${name}.ffn_down.weight`, feedForward, embedding),
    vector(`${name}.post_ffw_norm.weight`, embedding),
  ];
  return [
    matrix("token_embd.weight", embedding, vocabularySize),
    ...Array.from({ length: layers }, (_, layer) => block(`blk.${layer}`)).flat(),
    vector("output_norm.weight", embedding),
    matrix("output.weight", embedding, vocabularySize),
  ];
}

function metadataOf({ type, contextTrained }: RandomModelOptions): ReadonlyMap<string, MetadataValue> {
  const { tokens, types, merges, idOf } = makeVocabulary(vocabularySize);
  const end = { u32: idOf("<|endoftext|>") };
  return new Map<string, MetadataValue>([
    ["general.architecture", { text: "glm4" }],
    ["general.name", { text: `random weights, ${type}` }],
    ["general.quantization_version", { u32: 2 }],
    ["glm4.block_count", { u32: layers }],
    ["glm4.context_length", { u32: contextTrained }],
    ["glm4.embedding_length", { u32: embedding }],
    ["glm4.feed_forward_length", { u32: feedForward }],
    ["glm4.attention.head_count", { u32: heads }],
    ["glm4.attention.head_count_kv", { u32: kvHeads }],
    ["glm4.attention.key_length", { u32: headSize }],
    ["glm4.attention.value_length", { u32: headSize }],
    ["glm4.attention.layer_norm_rms_epsilon", { f32: 1e-5 }],
    ["glm4.rope.freq_base", { f32: 10_000 }],
    ["glm4.rope.dimension_count", { u32: headSize / 2 }],
    ["glm4.vocab_size", { u32: vocabularySize }],
    ["tokenizer.ggml.model", { text: "gpt2" }],
    ["tokenizer.ggml.pre", { text: "glm4" }],
    ["tokenizer.ggml.tokens", { texts: tokens }],
    ["tokenizer.ggml.token_type", { i32s: types }],
    ["tokenizer.ggml.merges", { texts: merges }],
    ["tokenizer.ggml.eos_token_id", end],
    ["tokenizer.ggml.bos_token_id", end],
    ["tokenizer.ggml.padding_token_id", end],
    ["tokenizer.ggml.eot_token_id", { u32: idOf("<|user|>") }],
    ["tokenizer.ggml.add_bos_token", { bool: false }],
  ]);
}
