import type { Fields, Layout } from "./abi.ts";

/** Bits of an address. */
export type AddressBits = 32 | 64;

const pageBytes = 2 ** 16;
const fieldBytes = 8;

export interface MemoryShape {
  readonly bits: AddressBits;
  readonly shared: boolean;
}

/** What a 64-bit memory is described by; the DOM's types do not know it yet. */
interface MemoryDescriptor64 {
  readonly address: "i64";
  readonly initial: bigint;
  readonly maximum: bigint;
  readonly shared: boolean;
}

/** The largest memory of a shape, in bytes, that V8, SpiderMonkey and the modules themselves allow. */
export function mostMemoryBytes({ bits }: Pick<MemoryShape, "bits">): number {
  return bits === 64 ? 2 ** 34 : 2 ** 32;
}

/**
 * Makes a memory that may grow as far as the host lets it: a host that will not reserve the most is asked for less.
 *
 * @throws {RangeError} if it does not even give 256 MiB
 */
export function createMemory({ bits, shared }: MemoryShape): WebAssembly.Memory {
  const initial = 2 ** 24 / pageBytes;
  for (let most = mostMemoryBytes({ bits }); ; most /= 2) {
    const maximum = most / pageBytes;
    try {
      if (bits === 32) return new WebAssembly.Memory({ initial, maximum, shared });
      const descriptor: MemoryDescriptor64 = {
        address: "i64",
        initial: BigInt(initial),
        maximum: BigInt(maximum),
        shared,
      };
      return new WebAssembly.Memory(descriptor as unknown as WebAssembly.MemoryDescriptor);
    } catch (error) {
      if (most <= 2 ** 28) throw error;
    }
  }
}

/** A module's memory, read and written through views that follow its growth. */
export class ModuleMemory {
  readonly memory: WebAssembly.Memory;
  readonly bits: AddressBits;
  readonly maximumBytes: number;
  #buffer: ArrayBufferLike | undefined;
  #bytes = new Uint8Array();
  #view = new DataView(new ArrayBuffer(0));

  constructor(memory: WebAssembly.Memory, bits: AddressBits) {
    this.memory = memory;
    this.bits = bits;
    this.maximumBytes = mostMemoryBytes({ bits });
  }

  get sizeBytes(): number {
    return this.#current().byteLength;
  }

  /** An address as the module takes it. */
  address(value: number): number | bigint {
    return this.bits === 64 ? BigInt(value) : value;
  }

  /** A stretch of memory; good until the module runs again. */
  bytes(at: number, length: number): Uint8Array {
    return this.#current().subarray(at, at + length);
  }

  view(): DataView {
    this.#current();
    return this.#view;
  }

  int32(at: number): number {
    return this.view().getInt32(at, true);
  }

  int64(at: number): number {
    return Number(this.view().getBigInt64(at, true));
  }

  setInt64(at: number, value: number): void {
    this.view().setBigInt64(at, BigInt(value), true);
  }

  readAddress(at: number): number {
    return this.bits === 64 ? this.int64(at) : this.view().getUint32(at, true);
  }

  setAddress(at: number, value: number): void {
    if (this.bits === 64) this.setInt64(at, value);
    else this.view().setUint32(at, value, true);
  }

  /** A copy: a text decoder takes no shared memory. */
  text(at: number): string {
    const all = this.#current();
    return new TextDecoder().decode(all.slice(at, all.indexOf(0, at)));
  }

  readFields<L extends Layout>(at: number, layout: L): Fields<L> {
    const view = this.view();
    const entries = Object.entries(layout).map(([name, kind], index) => {
      const place = at + index * fieldBytes;
      return [name, kind === "float" ? view.getFloat64(place, true) : Number(view.getBigInt64(place, true))];
    });
    // Made of the layout's own names.
    return Object.fromEntries(entries) as Fields<L>;
  }

  writeFields<L extends Layout>(at: number, layout: L, fields: Fields<L>): void {
    const view = this.view();
    for (const [index, [name, kind]] of Object.entries(layout).entries()) {
      const place = at + index * fieldBytes;
      const value = fields[name as keyof L];
      if (kind === "float") view.setFloat64(place, value, true);
      else view.setBigInt64(place, BigInt(Math.trunc(value)), true);
    }
  }

  /** Bytes that a list of C's `iovec` describes. */
  vectorBytes(at: number, count: number): number {
    const word = this.bits / 8;
    let sum = 0;
    for (let index = 0; index < count; index += 1) sum += this.readAddress(at + (2 * index + 1) * word);
    return sum;
  }

  /** @returns Whether the memory now has at least so many bytes. */
  growTo(bytes: number): boolean {
    const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / pageBytes);
    if (missing <= 0) return true;
    try {
      // A 64-bit memory counts its pages in bigints; the DOM's types do not know that yet.
      this.memory.grow(this.address(missing) as number);
      return true;
    } catch {
      return false;
    }
  }

  #current(): Uint8Array {
    const { buffer } = this.memory;
    if (buffer !== this.#buffer || this.#bytes.byteLength !== buffer.byteLength) {
      this.#buffer = buffer;
      this.#bytes = new Uint8Array(buffer);
      this.#view = new DataView(buffer);
    }
    return this.#bytes;
  }
}

export function layoutBytes(layout: Layout): number {
  return Object.keys(layout).length * fieldBytes;
}

const pressureBytes = 2 ** 26;
const pressureTimes = 4;
const pressureDelayMs = 100;

/**
 * Has the host look for memories that nobody uses any more. V8 does not count shared ones among what a collection would
 * free, and leaves gigabytes for later; ordinary buffers it counts, and these are never touched, so that they cost nothing.
 *
 * In Node and Bun only if the process still runs a moment later: Node's exit waits for V8's threads, and one of them that
 * waits for a collection waits for ever then.
 */
export function pressForCollection(): void {
  const timer: unknown = setTimeout(press, pressureDelayMs);
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") {
    timer.unref();
    return;
  }
  // Where timers are numbers they can't be told not to keep the process alive.
  clearTimeout(timer as number);
  press();
}

function press(): void {
  try {
    void Array.from({ length: pressureTimes }, () => new ArrayBuffer(pressureBytes));
  } catch {
    // A host that has no room for one has every reason of its own to collect.
  }
}
