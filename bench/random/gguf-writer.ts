// The head of a GGUF file, version 3: metadata and where each tensor is.

/** What a value is in the file: GGUF tells integers from floats. */
export type MetadataValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly i32s: readonly number[] }
  /** Type and value as another file has them. */
  | { readonly raw: Uint8Array };

export interface TensorEntry {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** Number of its type. */
  readonly type: number;
  readonly bytes: number;
}

/** What tensors begin at multiples of: the format's default. */
const alignment = 32;
const types = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, array: 9 } as const;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** All that comes before the first tensor; the tensors follow, each padded to {@link aligned} bytes. */
export function ggufHead(
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly TensorEntry[],
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.u32(0x4655_4747);
  writer.u32(3);
  writer.u64(tensors.length);
  writer.u64(metadata.size);
  for (const [key, value] of metadata) {
    writer.text(key);
    writer.value(value);
  }
  let offset = 0;
  for (const { name, dimensions, type, bytes } of tensors) {
    writer.text(name);
    writer.u32(dimensions.length);
    for (const dimension of dimensions) writer.u64(dimension);
    writer.u32(type);
    writer.u64(offset);
    offset += aligned(bytes);
  }
  return writer.padded();
}

class Writer {
  #view = new DataView(new ArrayBuffer(2 ** 16));
  #size = 0;

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  #u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }

  u64(value: number): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    const at = this.#take(bytes.length);
    new Uint8Array(this.#view.buffer).set(bytes, at);
  }

  value(value: MetadataValue): void {
    if ("u32" in value) {
      this.u32(types.u32);
      this.u32(value.u32);
    } else if ("f32" in value) {
      this.u32(types.f32);
      const at = this.#take(4);
      this.#view.setFloat32(at, value.f32, true);
    } else if ("bool" in value) {
      this.u32(types.bool);
      this.#u8(Number(value.bool));
    } else if ("text" in value) {
      this.u32(types.text);
      this.text(value.text);
    } else if ("texts" in value) {
      this.#array(types.text, value.texts.length);
      for (const text of value.texts) this.text(text);
    } else if ("raw" in value) {
      const at = this.#take(value.raw.length);
      new Uint8Array(this.#view.buffer).set(value.raw, at);
    } else {
      this.#array(types.i32, value.i32s.length);
      for (const number of value.i32s) this.u32(number);
    }
  }

  padded(): Uint8Array<ArrayBuffer> {
    const size = aligned(this.#size);
    this.#take(size - this.#size);
    return new Uint8Array(this.#view.buffer, 0, size);
  }

  #array(type: number, length: number): void {
    this.u32(types.array);
    this.u32(type);
    this.u64(length);
  }

  /** Where the next bytes go, which are counted as written. */
  #take(bytes: number): number {
    const at = this.#size;
    this.#size += bytes;
    if (this.#size > this.#view.byteLength) {
      const larger = new Uint8Array(Math.max(this.#size, 2 * this.#view.byteLength));
      larger.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
