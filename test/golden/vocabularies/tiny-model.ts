// Models that are hardly more than a vocabulary: one layer, 32 numbers a token, random weights.
import { createCipheriv } from "node:crypto";
import { aligned, ggufHead } from "../../../bench/random/gguf-writer.ts";
import type { MetadataValue } from "../../../bench/random/gguf-writer.ts";

/** GGUF's numbers of types. */
const f32 = 0;
const f16 = 1;
const contextTrained = 256;

export interface TinyTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly type: typeof f32 | typeof f16;
  /** Of its numbers, which are evenly spread around `middle`. */
  readonly spread: number;
  readonly middle: number;
}

export function vector(name: string, size: number, middle = 0): TinyTensor {
  return { name, dimensions: [size], type: f32, spread: 0.3, middle };
}

export function matrix(name: string, columns: number, rows: number): TinyTensor {
  // Keeps numbers about as large as they come in.
  return { name, dimensions: [columns, rows], type: f16, spread: Math.sqrt(3 / columns), middle: 0 };
}

/** The bytes of a GGUF file, always the same for the same arguments. */
export function tinyModel(
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly TinyTensor[],
): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv("aes-128-ctr", new Uint8Array(16), new Uint8Array(16));
  const parts = tensors.map(({ dimensions, type, spread, middle }) => {
    const count = dimensions.reduce((product, size) => product * size, 1);
    const random = new Uint16Array(new Uint8Array(cipher.update(new Uint8Array(2 * count))).buffer);
    const numbers = Array.from(random, (value) => middle + spread * (value / 32_767.5 - 1));
    return new Uint8Array((type === f16 ? Float16Array.from(numbers) : Float32Array.from(numbers)).buffer);
  });
  const head = ggufHead(
    metadata,
    tensors.map((tensor, at) => ({ ...tensor, bytes: parts[at]?.length ?? 0 })),
  );
  const padded = parts.flatMap((part) => [part, new Uint8Array(aligned(part.length) - part.length)]);
  return new Uint8Array(Buffer.concat([head, ...padded]));
}

/** A decoder of llama's architecture around a vocabulary. */
export function tinyDecoder(vocabulary: ReadonlyMap<string, Uint8Array>, size: number): Uint8Array<ArrayBuffer> {
  const width = 32;
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { text: "llama" }],
    ["llama.block_count", { u32: 1 }],
    ["llama.context_length", { u32: contextTrained }],
    ["llama.embedding_length", { u32: width }],
    ["llama.feed_forward_length", { u32: width }],
    ["llama.attention.head_count", { u32: 1 }],
    ["llama.attention.layer_norm_rms_epsilon", { f32: 1e-5 }],
    ["llama.vocab_size", { u32: size }],
    ...rawEntries(vocabulary),
  ]);
  return tinyModel(metadata, [
    matrix("token_embd.weight", width, size),
    vector("output_norm.weight", width, 1),
    vector("blk.0.attn_norm.weight", width, 1),
    ...["attn_q", "attn_k", "attn_v", "attn_output"].map((name) => matrix(`blk.0.${name}.weight`, width, width)),
    vector("blk.0.ffn_norm.weight", width, 1),
    ...["ffn_gate", "ffn_up", "ffn_down"].map((name) => matrix(`blk.0.${name}.weight`, width, width)),
  ]);
}

/** An encoder of BERT's architecture around a vocabulary, which ranks or embeds as `pooling`, llama.cpp's number, says. */
export function tinyEncoder(
  vocabulary: ReadonlyMap<string, Uint8Array>,
  { size, pooling }: { size: number; pooling: number },
): Uint8Array<ArrayBuffer> {
  const width = 64;
  const inner = 128;
  const layers = 2;
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { text: "bert" }],
    ["bert.block_count", { u32: layers }],
    ["bert.context_length", { u32: contextTrained }],
    ["bert.embedding_length", { u32: width }],
    ["bert.feed_forward_length", { u32: inner }],
    ["bert.attention.head_count", { u32: 2 }],
    ["bert.attention.layer_norm_epsilon", { f32: 1e-12 }],
    ["bert.attention.causal", { bool: false }],
    ["bert.pooling_type", { u32: pooling }],
    ...rawEntries(vocabulary),
  ]);
  const normed = (name: string): TinyTensor[] => [vector(`${name}.weight`, width, 1), vector(`${name}.bias`, width)];
  const layer = (name: string): TinyTensor[] => [
    ...["attn_q", "attn_k", "attn_v", "attn_output"].flatMap((part) => [
      matrix(`${name}.${part}.weight`, width, width),
      vector(`${name}.${part}.bias`, width),
    ]),
    ...normed(`${name}.attn_output_norm`),
    matrix(`${name}.ffn_up.weight`, width, inner),
    vector(`${name}.ffn_up.bias`, inner),
    matrix(`${name}.ffn_down.weight`, inner, width),
    vector(`${name}.ffn_down.bias`, width),
    ...normed(`${name}.layer_output_norm`),
  ];
  return tinyModel(metadata, [
    matrix("token_embd.weight", width, size),
    // Added to what is not rounded, and so not rounded either.
    { ...matrix("token_types.weight", width, 2), type: f32 },
    { ...matrix("position_embd.weight", width, contextTrained), type: f32 },
    ...normed("token_embd_norm"),
    ...Array.from({ length: layers }, (_, at) => layer(`blk.${at}`)).flat(),
    matrix("cls.weight", width, width),
    vector("cls.bias", width),
    matrix("cls.output.weight", width, 1),
    vector("cls.output.bias", 1),
  ]);
}

function rawEntries(vocabulary: ReadonlyMap<string, Uint8Array>): [string, MetadataValue][] {
  return [...vocabulary].map(([key, raw]) => [key, { raw }]);
}
