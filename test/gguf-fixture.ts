// Builds tiny GGUF files in memory, valid ones and, by overriding counts, lengths and offsets, broken ones.

/** A metadata value: its GGUF type is inferred, or given with `typed`. */
export type FixtureValue = string | boolean | number | bigint | readonly FixtureValue[] | Typed;
export interface Typed {
  readonly type: number;
  readonly value: unknown;
}
export interface FixtureTensor {
  readonly name: string;
  readonly shape: readonly (number | bigint)[];
  /** ggml type number; default: 0, F32. */
  readonly type?: number;
  /** Bytes of data; default: those of F32. */
  readonly bytes?: number;
  /** Overrides the offset that follows from what comes before. */
  readonly offset?: number | bigint;
}
export interface FixtureOptions {
  readonly metadata?: Readonly<Record<string, FixtureValue>> | readonly (readonly [string, FixtureValue])[];
  readonly tensors?: readonly FixtureTensor[];
  readonly version?: number;
  readonly alignment?: number;
  /** Override what the header claims. */
  readonly tensorCount?: number | bigint;
  readonly pairCount?: number | bigint;
  /** Leave the weights out. */
  readonly headerOnly?: boolean;
}

export const typed = (type: number, value: unknown): Typed => ({ type, value });

const encoder = new TextEncoder();

class Writer {
  #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  bytes(values: Iterable<number>): this {
    for (const value of values) this.#bytes.push(value);
    return this;
  }

  scalar(size: number, write: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(size));
    write(view);
    return this.bytes(new Uint8Array(view.buffer));
  }

  u32(value: number): this {
    return this.scalar(4, (view) => view.setUint32(0, value, true));
  }

  u64(value: number | bigint): this {
    return this.scalar(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  text(value: string): this {
    const bytes = encoder.encode(value);
    return this.u64(bytes.length).bytes(bytes);
  }

  pad(alignment: number): this {
    while (this.length % alignment !== 0) this.#bytes.push(0);
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}

function infer(value: FixtureValue): Typed {
  if (typeof value === "string") return typed(8, value);
  if (typeof value === "boolean") return typed(7, value);
  if (typeof value === "bigint") return typed(10, value);
  if (typeof value === "number") {
    if (!Number.isInteger(value)) return typed(6, value);
    return value < 0 ? typed(5, value) : typed(4, value);
  }
  return "type" in value ? value : typed(9, value);
}

function writeValue(out: Writer, { type, value }: Typed): void {
  switch (type) {
    case 0:
    case 7:
      out.bytes([Number(value) & 255]);
      break;
    case 1:
      out.scalar(1, (view) => view.setInt8(0, Number(value)));
      break;
    case 2:
      out.scalar(2, (view) => view.setUint16(0, Number(value), true));
      break;
    case 3:
      out.scalar(2, (view) => view.setInt16(0, Number(value), true));
      break;
    case 4:
      out.u32(Number(value));
      break;
    case 5:
      out.scalar(4, (view) => view.setInt32(0, Number(value), true));
      break;
    case 6:
      out.scalar(4, (view) => view.setFloat32(0, Number(value), true));
      break;
    case 8:
      out.text(String(value));
      break;
    case 9: {
      // Fixtures only: whoever says array gives one.
      const items = (value as readonly FixtureValue[]).map(infer);
      const numeric = items.some((item) => item.type === 5) ? 5 : (items[0]?.type ?? 4);
      out.u32(numeric).u64(items.length);
      for (const item of items) writeValue(out, { type: numeric, value: item.value });
      break;
    }
    case 10:
      out.u64(value as bigint | number);
      break;
    case 11:
      out.scalar(8, (view) => view.setBigInt64(0, BigInt(value as bigint | number), true));
      break;
    case 12:
      out.scalar(8, (view) => view.setFloat64(0, Number(value), true));
      break;
    default:
      out.bytes(value as Iterable<number>);
  }
}

/** The bytes of a GGUF file. */
export function buildGguf(options: FixtureOptions = {}): Uint8Array<ArrayBuffer> {
  const { metadata = {}, tensors = [], version = 3, alignment = 32 } = options;
  const pairs = Symbol.iterator in metadata ? [...metadata] : Object.entries(metadata);
  const out = new Writer().bytes(encoder.encode("GGUF")).u32(version);
  out.u64(options.tensorCount ?? tensors.length).u64(options.pairCount ?? pairs.length);
  for (const [key, value] of pairs) {
    const inferred = infer(value);
    out.text(key).u32(inferred.type);
    writeValue(out, inferred);
  }
  let offset = 0;
  const sizes = tensors.map(({ shape, bytes }) => bytes ?? shape.reduce((sum: number, size) => sum * Number(size), 4));
  for (const [index, tensor] of tensors.entries()) {
    out.text(tensor.name).u32(tensor.shape.length);
    for (const size of tensor.shape) out.u64(size);
    out.u32(tensor.type ?? 0).u64(tensor.offset ?? offset);
    offset = Math.ceil((offset + (sizes[index] ?? 0)) / alignment) * alignment;
  }
  if (options.headerOnly || tensors.length === 0) return out.done();
  out.pad(alignment);
  for (const [index, bytes] of sizes.entries())
    out.bytes(Array.from({ length: bytes }, () => index + 1)).pad(alignment);
  return out.done();
}

/** Metadata of a language model of four layers, with a vocabulary of eight tokens. */
export const modelMetadata: Readonly<Record<string, FixtureValue>> = {
  "general.architecture": "glm4",
  "general.name": "fixture",
  "general.file_type": 7,
  "glm4.block_count": 4,
  "glm4.context_length": 512,
  "glm4.embedding_length": 64,
  "glm4.feed_forward_length": 128,
  "glm4.attention.head_count": 4,
  "glm4.attention.head_count_kv": 2,
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.tokens": [
    "a",
    "b",
    "<unk>",
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
    "<think>",
  ],
  "tokenizer.ggml.token_type": [1, 1, 2, 3, 3, 3, 3, 4],
  "tokenizer.ggml.eos_token_id": 3,
  "tokenizer.chat_template": "[gMASK]<sop>",
};

/** A whole model of one tensor. */
export function buildModel(options: FixtureOptions = {}): Uint8Array<ArrayBuffer> {
  return buildGguf({ metadata: modelMetadata, tensors: [{ name: "token_embd.weight", shape: [64, 8] }], ...options });
}

/** The shards of a model with one tensor each; the first also has the metadata. */
export function buildShards(count: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, (_, index) => {
    const split = {
      "split.no": typed(2, index),
      "split.count": typed(2, count),
      "split.tensors.count": typed(5, count),
    };
    return buildGguf({
      metadata: index === 0 ? { ...modelMetadata, ...split } : split,
      tensors: [{ name: `blk.${index}.weight`, shape: [16] }],
    });
  });
}

/** A file in memory that counts its reads, as the header reader takes it. */
export interface CountingSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly reads: [offset: number, length: number][];
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}
export function sourceOf(
  bytes: Uint8Array<ArrayBuffer>,
  options: { name?: string; size?: number | undefined } = {},
): CountingSource {
  const reads: [number, number][] = [];
  return {
    name: options.name ?? "fixture.gguf",
    size: "size" in options ? options.size : bytes.byteLength,
    reads,
    async read(offset, length) {
      reads.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  };
}
