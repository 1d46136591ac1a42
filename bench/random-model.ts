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

interface Tensor {
  readonly name: string;
  readonly dimensions: readonly [number] | readonly [number, number];
  readonly type: TensorTypeName;
  readonly bytes: number;
}

/** As llama.cpp numbers a whole file's type. */
const fileTypes: Record<Recipe, number> = { Q4_0: 2, Q8_0: 7, Q4_K: 14, Q4_K_M: 15 };

/** Bytes made at a time; below the smallest that a cipher takes at once. */
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
    for (const bytes of weightsOf(tensor, random)) {
      signal.throwIfAborted();
      if (tensor.name === "output.weight") mute(bytes, tensor, vocabulary);
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

function* weightsOf(tensor: Tensor, random: (count: number) => Uint8Array): Generator<Uint8Array> {
  const { blockBytes, shape } = tensorTypes[tensor.type];
  if (tensor.name === "output.weight") return yield* rowsOf(tensor, random);
  const step = Math.floor(chunkBytes / blockBytes) * blockBytes;
  for (let at = 0; at < tensor.bytes; at += step) {
    const bytes = random(Math.min(step, tensor.bytes - at));
    shape(bytes);
    if (tensor.name.endsWith("norm.weight")) aroundOne(bytes);
    yield bytes;
  }
}
