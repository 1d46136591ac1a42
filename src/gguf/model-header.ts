import type { HeaderSource } from "./byte-cursor.ts";
import type { GgufHeader, GgufTensor } from "./header.ts";
import { checkInside, readHeader } from "./header.ts";
import { headerError } from "./header-error.ts";
import type { WeightFile } from "./weight-file.ts";

/** A model's header: that of its file, or of all its shards together. */
export interface ModelHeader {
  /** File name without `.gguf` and shard number, for messages. */
  readonly label: string;
  /** Value of `general.architecture`. */
  readonly architecture: string;
  /** Of the first shard, which has the model's. */
  readonly metadata: ReadonlyMap<string, unknown>;
  /** Of all shards. Offsets are within each tensor's own file. */
  readonly tensors: readonly GgufTensor[];
  /** Bytes of all files. */
  readonly sizeBytes: number;
  /** The files' headers in shard order, each with its place in the list that was read. */
  readonly shards: readonly { readonly index: number; readonly header: GgufHeader }[];
}

interface Shard {
  readonly index: number;
  readonly name: string;
  readonly header: GgufHeader;
}

function splitValue(shard: Shard, key: string, fallback: number): number {
  const value = shard.header.metadata.get(key) ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw headerError(shard.name, `${key} is ${String(value)}; a number from 0 is wanted`);
  }
  return value;
}

/** Orders shards by `split.no` and checks that they are all there and belong together. */
function orderShards(shards: readonly Shard[]): readonly Shard[] {
  const [first] = shards;
  if (!first) throw new TypeError("Cannot read a model from no files; at least one is wanted");
  const count = splitValue(first, "split.count", 1) || 1;
  const tensorCount = splitValue(first, "split.tensors.count", 0);
  const ordered: (Shard | undefined)[] = [];
  for (const shard of shards) {
    const number = splitValue(shard, "split.no", 0);
    const ownCount = splitValue(shard, "split.count", 1) || 1;
    if (shards.length > 1 && !shard.header.metadata.has("split.no")) {
      throw headerError(
        shard.name,
        `it is a whole model, not a shard, but was given together with ${shards.length - 1} other files`,
      );
    }
    if (ownCount !== count || splitValue(shard, "split.tensors.count", 0) !== tensorCount || number >= count) {
      throw headerError(
        shard.name,
        `it does not belong with ${first.name}: it is shard ${number + 1} of ${ownCount}, that one is of ${count}`,
      );
    }
    const twin = ordered[number];
    if (twin) throw headerError(shard.name, `it and ${twin.name} both are shard ${number + 1} of ${count}`);
    ordered[number] = shard;
  }
  if (shards.length < count) {
    const given = new Set(shards.map((shard) => splitValue(shard, "split.no", 0)));
    const missing = Array.from({ length: Math.min(count, 1000) }, (_, number) => number).filter(
      (number) => !given.has(number),
    );
    throw headerError(
      first.name,
      `the model is split into ${count} files and ${missing
        .slice(0, 8)
        .map((number) => `shard ${number + 1}`)
        .join(", ")} ${missing.length === 1 ? "is" : "are"} missing; give all of them`,
      { missing: missing.map((number) => number + 1) },
    );
  }
  return ordered.filter((shard) => shard !== undefined);
}

function mergeTensors(shards: readonly Shard[]): GgufTensor[] {
  const owners = new Map<string, string>();
  const tensors: GgufTensor[] = [];
  for (const shard of shards) {
    for (const tensor of shard.header.tensors) {
      const owner = owners.get(tensor.name);
      if (owner)
        throw headerError(
          shard.name,
          `its tensor "${tensor.name}" is in ${owner} too; the shards are of different models`,
        );
      owners.set(tensor.name, shard.name);
      tensors.push(tensor);
    }
  }
  return tensors;
}

function checkModel(file: string, metadata: ReadonlyMap<string, unknown>, tensors: readonly GgufTensor[]): string {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string" || architecture === "") {
    throw headerError(file, `it has no "general.architecture"; a language model that names its architecture is wanted`);
  }
  const tokenizer = metadata.get("tokenizer.ggml.model");
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const hasTokens = Array.isArray(tokens) && tokens.length > 0 && tokens.every((token) => typeof token === "string");
  if (typeof tokenizer !== "string" || !hasTokens) {
    throw headerError(
      file,
      `it has no tokenizer ("tokenizer.ggml.model" and "tokenizer.ggml.tokens"); a language model is wanted, not an adapter, a projector or a part of a model`,
      { architecture },
    );
  }
  if (tensors.length === 0) throw headerError(file, "it has a vocabulary but no weights; a whole model is wanted");
  return architecture;
}

/**
 * Reads the headers of a model's files and merges them; the files may come in any order.
 *
 * @throws {InferenceError} `format`, naming the file and what is wrong in it or which shard is missing
 */
export async function readModelHeader(
  files: readonly HeaderSource[],
  options: { signal?: AbortSignal } = {},
): Promise<ModelHeader> {
  const read: Shard[] = [];
  for (const [index, file] of files.entries()) {
    read.push({ index, name: file.name, header: await readHeader(file, options) });
  }
  const shards = orderShards(read);
  const first = shards[0] ?? read[0];
  if (!first) throw new TypeError("Cannot read a model from no files; at least one is wanted");
  const tensors = mergeTensors(shards);
  const expected = splitValue(first, "split.tensors.count", tensors.length) || tensors.length;
  if (expected !== tensors.length) {
    throw headerError(
      first.name,
      `the model has ${expected} tensors, but its ${shards.length} files hold ${tensors.length}`,
    );
  }
  const architecture = checkModel(first.name, first.header.metadata, tensors);
  return {
    label: first.name.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, ""),
    architecture,
    metadata: first.header.metadata,
    tensors,
    sizeBytes: shards.reduce((sum, shard) => sum + shard.header.sizeBytes, 0),
    shards: shards.map(({ index, header }) => ({ index, header })),
  };
}

/**
 * Puts the files of a model in shard order, and checks that each is as long as its header said: a download whose server
 * told no size could not be checked before.
 *
 * @param files In the order in which the headers were read.
 * @throws {InferenceError} `format`
 */
export function arrangeWeights(header: ModelHeader, files: readonly WeightFile[]): readonly WeightFile[] {
  return header.shards.map(({ index, header: own }) => {
    const file = files[index];
    if (!file)
      throw new RangeError(
        `Cannot arrange ${files.length} files; the ${header.shards.length} that were read are wanted`,
      );
    checkInside(file.name, own.neededBytes, file.size);
    return file;
  });
}
