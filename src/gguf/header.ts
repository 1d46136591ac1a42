import type { HeaderSource } from "./byte-cursor.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { headerError } from "./header-error.ts";
import { looksLike } from "./looks-like.ts";
import { readMetadata, stringLength } from "./metadata.ts";
import { tensorType } from "./tensor-types.ts";

/** One tensor as the header describes it. */
export interface GgufTensor {
  readonly name: string;
  /** Elements, innermost dimension (row length) first; one to four. */
  readonly shape: readonly number[];
  /** Such as `Q4_K`. */
  readonly type: string;
  /** Bytes from {@link GgufHeader.dataOffset}. */
  readonly offset: number;
  readonly bytes: number;
}

/** What stands before the weights of one GGUF file, checked. */
export interface GgufHeader {
  readonly version: 2 | 3;
  /** Arrays are arrays; 64-bit integers are numbers where that is exact, else bigints. */
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: readonly GgufTensor[];
  /** Bytes; a power of two, at most 1 MiB. */
  readonly alignment: number;
  /** Bytes from the start of the file to the first weight. */
  readonly dataOffset: number;
  /** Bytes that the file must have at least to hold every tensor. */
  readonly neededBytes: number;
  /** Bytes of the file, or `neededBytes` while its size is unknown. */
  readonly sizeBytes: number;
}

const magic = "GGUF";
const maxTensors = 2 ** 18;
// ggml keeps names in 64 bytes with their terminator.
const maxNameBytes = 63;
const maxDimensions = 4;
const maxAlignment = 2 ** 20;
const defaultAlignment = 32;
const smallestTensor = 8 + 1 + 4 + 8 + 4 + 8;

function checkVersion(file: string, version: number): 2 | 3 {
  if (version === 2 || version === 3) return version;
  // A big-endian file has its version's low byte last.
  if (version !== 0 && version % 2 ** 16 === 0) {
    throw headerError(file, "it is a big-endian GGUF, made for another kind of machine; a little-endian one is wanted");
  }
  const hint = version === 1 ? "convert the model again" : "a newer version of this library may know it";
  throw headerError(file, `it is GGUF version ${version}; versions 2 and 3 are wanted (${hint})`, {
    version,
  });
}

function readAlignment(file: string, metadata: ReadonlyMap<string, unknown>): number {
  const alignment = metadata.get("general.alignment") ?? defaultAlignment;
  const isPower = typeof alignment === "number" && alignment >= 1 && Number.isInteger(Math.log2(alignment));
  if (!isPower || alignment > maxAlignment) {
    throw headerError(
      file,
      `general.alignment is ${String(alignment)}; a power of two up to ${maxAlignment} is wanted`,
    );
  }
  return alignment;
}

function tensorBytes(file: string, name: string, description: { shape: readonly number[]; type: number }): number {
  const type = tensorType(description.type);
  if (!type) {
    throw headerError(
      file,
      `tensor "${name}" has the type ${description.type}, which llama.cpp does not know (any more); quantize the model again`,
    );
  }
  const row = description.shape[0] ?? 1;
  if (row % type.block !== 0) {
    throw headerError(
      file,
      `tensor "${name}" has rows of ${row} elements; ${type.name} wants a multiple of ${type.block}`,
    );
  }
  let bytes = (row / type.block) * type.bytes;
  for (const dimension of description.shape.slice(1)) bytes *= dimension;
  // One product over safe limit is never brought back by another: every factor is at least 1.
  if (!(bytes <= Number.MAX_SAFE_INTEGER)) {
    throw headerError(file, `tensor "${name}" has the impossible shape ${description.shape.join(" x ")}`);
  }
  return bytes;
}

async function readTensor(cursor: ByteCursor, file: string, label: string): Promise<GgufTensor> {
  const at = cursor.position;
  const length = await stringLength(cursor, file, {
    what: `the name of ${label}`,
    limit: maxNameBytes,
  });
  const name = cursor.text(length, true);
  if (name === undefined) throw headerError(file, `the name of ${label} at byte ${at} is not UTF-8`, { offset: at });
  if (!cursor.has(4)) await cursor.fill(4, `tensor "${name}"`);
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > maxDimensions) {
    throw headerError(file, `tensor "${name}" has ${dimensions} dimensions; 1 to ${maxDimensions} are wanted`, {
      offset: at,
    });
  }
  const rest = dimensions * 8 + 4 + 8;
  if (!cursor.has(rest)) await cursor.fill(rest, `tensor "${name}"`);
  const shape: number[] = [];
  for (let index = 0; index < dimensions; index++) shape.push(cursor.u64());
  if (shape.some((dimension) => dimension < 1)) {
    throw headerError(file, `tensor "${name}" has the empty shape ${shape.join(" x ")}`, {
      offset: at,
    });
  }
  const type = cursor.u32();
  const offset = cursor.u64();
  const bytes = tensorBytes(file, name, { shape, type });
  return { name, shape, type: tensorType(type)?.name ?? "", offset, bytes };
}

/** Checks that tensors lie on aligned offsets, apart from each other; returns the bytes from the first weight to the last. */
function checkLayout(file: string, tensors: readonly GgufTensor[], alignment: number): number {
  let end = 0;
  let before = "";
  for (const tensor of tensors.toSorted((a, b) => a.offset - b.offset)) {
    if (tensor.offset % alignment !== 0) {
      throw headerError(
        file,
        `tensor "${tensor.name}" begins at ${tensor.offset}; a multiple of the alignment ${alignment} is wanted`,
      );
    }
    if (tensor.offset < end) {
      throw headerError(
        file,
        `tensor "${tensor.name}" begins at ${tensor.offset}, inside "${before}", which ends at ${end}`,
      );
    }
    end = tensor.offset + tensor.bytes;
    before = tensor.name;
    if (!(end <= Number.MAX_SAFE_INTEGER)) {
      throw headerError(file, `tensor "${tensor.name}" begins at ${tensor.offset}, beyond any file's end`);
    }
  }
  return end;
}

/**
 * Reads and checks what stands before the weights of one GGUF file: a few reads of at most 4 MiB, never the weights,
 * and no allocation whose size only the file claims.
 *
 * @throws {InferenceError} `format`, naming what is wrong and where; whatever `source.read` throws; `signal.reason`
 */
export async function readHeader(source: HeaderSource, options: { signal?: AbortSignal } = {}): Promise<GgufHeader> {
  const file = source.name;
  options.signal?.throwIfAborted();
  const start = await source.read(0, 64, options);
  if (!magic.split("").every((letter, index) => start[index] === letter.charCodeAt(0))) {
    throw headerError(file, `it is not a GGUF model but looks like ${looksLike(start)}`);
  }
  const cursor = new ByteCursor(source, options.signal);
  // The counts come last: a big-endian or first-version file is named as such even when it is very short.
  await cursor.fill(8, "the version");
  cursor.take(4);
  const version = checkVersion(file, cursor.u32());
  await cursor.fill(16, "the counts");
  const tensorCount = cursor.u64();
  const pairs = cursor.u64();
  if (tensorCount > maxTensors || tensorCount * smallestTensor > cursor.remaining) {
    throw headerError(
      file,
      `the header says it has ${tensorCount} tensors; at most ${maxTensors} are allowed and ${cursor.remaining} bytes are left for them`,
    );
  }
  const metadata = await readMetadata(cursor, file, pairs);
  const alignment = readAlignment(file, metadata);
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  for (let index = 0; index < tensorCount; index++) {
    const tensor = await readTensor(cursor, file, `tensor ${index + 1} of ${tensorCount}`);
    if (names.has(tensor.name)) throw headerError(file, `the tensor "${tensor.name}" is there twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  const dataOffset = Math.ceil(cursor.position / alignment) * alignment;
  const neededBytes = tensorCount === 0 ? cursor.position : dataOffset + checkLayout(file, tensors, alignment);
  checkInside(file, neededBytes, source.size);
  return {
    version,
    metadata,
    tensors,
    alignment,
    dataOffset,
    neededBytes,
    sizeBytes: source.size ?? neededBytes,
  };
}

/**
 * Checks that a file is as large as its tensors need; with an unknown size, nothing.
 *
 * @throws {InferenceError} `format`
 */
export function checkInside(file: string, neededBytes: number, size: number | undefined): void {
  if (size === undefined || neededBytes <= size) return;
  throw headerError(
    file,
    `its tensors reach to byte ${neededBytes}, but the file has ${size}; it is cut short or damaged`,
    {
      needed: neededBytes,
      size,
    },
  );
}
