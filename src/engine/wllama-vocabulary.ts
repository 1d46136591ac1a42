// Respells control tokens in a GGUF's vocabulary while its bytes pass by; see wllama-prompt.ts for why.
import { InferenceError } from "../errors.ts";
import type { Alias } from "./wllama-prompt.ts";

/** Bytes to put in place of those at `offset`. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

type Read = (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

const tokensKey = "tokenizer.ggml.tokens";
const stringType = 8;
const arrayType = 9;
// Bytes of each fixed-size value type of GGUF, by its number.
const sizes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/**
 * Finds the bytes that spell each alias' token.
 *
 * @param read Reads the first file of the model.
 * @param size Bytes of that file.
 * @returns Patches in ascending order.
 * @throws {InferenceError} `format` if the header is not one, or a token is not where it should be
 */
export async function vocabularyPatches(read: Read, size: number, aliases: readonly Alias[]): Promise<Patch[]> {
  if (aliases.length === 0) return [];
  const cursor = new Cursor(read, size);
  await cursor.skip(8); // magic and version
  await cursor.u64(); // tensors
  const count = await cursor.u64();
  for (let index = 0; index < count; index += 1) {
    const key = await cursor.string();
    const type = await cursor.u32();
    if (key === tokensKey) return patchTokens(cursor, type, aliases);
    await skipValue(cursor, type);
  }
  throw broken(`it has no ${tokensKey}`);
}

async function patchTokens(cursor: Cursor, type: number, aliases: readonly Alias[]): Promise<Patch[]> {
  if (type !== arrayType || (await cursor.u32()) !== stringType) throw broken(`${tokensKey} is no list of texts`);
  const count = await cursor.u64();
  const byId = new Map(aliases.map((alias) => [alias.id, alias]));
  const patches: Patch[] = [];
  const encoder = new TextEncoder();
  for (let id = 0; id < count && patches.length < byId.size; id += 1) {
    const alias = byId.get(id);
    if (!alias) {
      await cursor.skip(await cursor.u64());
      continue;
    }
    const offset = cursor.offset + 8;
    const text = await cursor.string();
    if (text !== alias.text) throw broken(`token ${id} is ${JSON.stringify(text)}, not ${JSON.stringify(alias.text)}`);
    patches.push({ offset, bytes: encoder.encode(alias.alias) });
  }
  if (patches.length < byId.size) throw broken(`its vocabulary ends before token ${Math.max(...byId.keys())}`);
  return patches;
}

async function skipValue(cursor: Cursor, type: number): Promise<void> {
  if (type === stringType) return cursor.skip(await cursor.u64());
  if (type !== arrayType) return cursor.skip(sizeOf(type));
  const itemType = await cursor.u32();
  const count = await cursor.u64();
  if (itemType !== stringType) return cursor.skip(count * sizeOf(itemType));
  for (let index = 0; index < count; index += 1) await cursor.skip(await cursor.u64());
}

function sizeOf(type: number): number {
  const size = sizes[type];
  if (size === undefined) throw broken(`it has a value of the unknown type ${type}`);
  return size;
}

function broken(what: string): InferenceError {
  return new InferenceError("format", `Cannot read the model's vocabulary: ${what}; a GGUF header is wanted`);
}

/** Walks a file from its beginning through a window. */
class Cursor {
  offset = 0;
  #read: Read;
  #size: number;
  #window = new Uint8Array(0);
  #windowAt = 0;

  constructor(read: Read, size: number) {
    this.#read = read;
    this.#size = size;
  }

  async skip(length: number): Promise<void> {
    this.#check(length);
    this.offset += length;
  }

  async u32(): Promise<number> {
    return (await this.#take(4)).getUint32(0, true);
  }

  async u64(): Promise<number> {
    return Number((await this.#take(8)).getBigUint64(0, true));
  }

  async string(): Promise<string> {
    const length = await this.u64();
    const view = await this.#take(length);
    return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset, length));
  }

  async #take(length: number): Promise<DataView> {
    this.#check(length);
    const inside = this.offset - this.#windowAt;
    if (inside < 0 || inside + length > this.#window.byteLength) {
      this.#window = await this.#read(this.offset, Math.min(Math.max(length, 2 ** 20), this.#size - this.offset));
      this.#windowAt = this.offset;
      if (this.#window.byteLength < length) throw broken("its file ends early");
    }
    const view = new DataView(this.#window.buffer, this.#window.byteOffset + this.offset - this.#windowAt, length);
    this.offset += length;
    return view;
  }

  #check(length: number): void {
    if (!Number.isSafeInteger(length) || this.offset + length > this.#size)
      throw broken("a length points outside its file");
  }
}

/** Writes the parts of `patches` that lie in a range over that range's bytes. */
export function applyPatches(bytes: Uint8Array, offset: number, patches: readonly Patch[]): void {
  const end = offset + bytes.byteLength;
  for (const patch of patches) {
    if (patch.offset >= end) return;
    const from = Math.max(patch.offset, offset);
    const to = Math.min(patch.offset + patch.bytes.byteLength, end);
    if (from < to) bytes.set(patch.bytes.subarray(from - patch.offset, to - patch.offset), from - offset);
  }
}
