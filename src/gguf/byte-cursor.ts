import { headerError } from "./header-error.ts";

/** Where header bytes come from: any file, local or half downloaded. */
export interface HeaderSource {
  readonly name: string;
  /** Bytes; undefined while nobody has told. */
  readonly size: number | undefined;
  /** Reads `length` bytes at `offset`; fewer only at the end of the file. */
  read(offset: number, length: number, options?: { signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes; the largest vocabularies (256k tokens with merges) take about 20 MB. */
export const maxHeaderBytes: number = 256 * 2 ** 20;
const firstRead = 64 * 2 ** 10;
const largestRead = 4 * 2 ** 20;

// Most tokens are a few ASCII letters, for which a decoder's call costs more than its work: 303k strings
// (GLM-4's vocabulary and merges) took 0.9 s through the decoder alone and 0.5 s with this, on one loaded machine.
function shortAscii(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength > 24) return undefined;
  let text = "";
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * Reads a file forward through a window of a few MiB. Callers ask `has(n)` first and `await fill(n)` when it is false,
 * so that a vocabulary of 152k strings costs a few awaits, not 152k.
 */
export class ByteCursor {
  readonly #source: HeaderSource;
  readonly #signal: AbortSignal | undefined;
  #window: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #at = 0;
  #nextRead = firstRead;
  // A leading U+FEFF is part of a token, not a mark to drop.
  readonly #lossy = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

  constructor(source: HeaderSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Bytes from the start of the file. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Bytes that can follow at most: to the end of the file or of what a header may be. */
  get remaining(): number {
    return Math.min(this.#source.size ?? Infinity, maxHeaderBytes) - this.position;
  }

  has(bytes: number): boolean {
    return this.#window.byteLength - this.#at >= bytes;
  }

  /**
   * Makes the next `bytes` bytes readable.
   *
   * @param what What they are, for the message.
   * @throws {InferenceError} `format` if the file, or what a header may be, ends before
   */
  async fill(bytes: number, what: string): Promise<void> {
    if (bytes > this.remaining) throw this.#ended(bytes, what);
    while (!this.has(bytes)) {
      this.#signal?.throwIfAborted();
      const kept = this.#window.subarray(this.#at);
      const end = this.position + kept.byteLength;
      const length = Math.min(this.#nextRead, end + this.#nextRead <= maxHeaderBytes ? Infinity : maxHeaderBytes - end);
      const read = await this.#source.read(end, length, this.#signal ? { signal: this.#signal } : {});
      if (read.byteLength === 0) throw this.#ended(bytes, what);
      this.#nextRead = Math.min(this.#nextRead * 2, largestRead);
      this.#start = this.position;
      this.#at = 0;
      if (kept.byteLength === 0) {
        this.#window = read;
      } else {
        this.#window = new Uint8Array(kept.byteLength + read.byteLength);
        this.#window.set(kept);
        this.#window.set(read, kept.byteLength);
      }
      this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    }
  }

  #ended(bytes: number, what: string): Error {
    const size = this.#source.size;
    const cut = size === undefined ? this.position + bytes <= maxHeaderBytes : this.position + bytes > size;
    const why = cut
      ? `the file ends${size === undefined ? "" : ` at byte ${size}`}; it is cut short or damaged`
      : `a header may take at most ${maxHeaderBytes} bytes`;
    return headerError(this.#source.name, `${what} at byte ${this.position} needs ${bytes} more bytes, but ${why}`, {
      offset: this.position,
    });
  }

  /** The next `bytes` bytes, without moving on. */
  peek(bytes: number): Uint8Array {
    return this.#window.subarray(this.#at, this.#at + bytes);
  }

  /** Steps over `bytes` bytes that {@link fill} made readable, and returns the view and where they begin in it. */
  take(bytes: number): { readonly view: DataView; readonly at: number } {
    const at = this.#at;
    this.#at += bytes;
    return { view: this.#view, at };
  }

  u32(): number {
    const { view, at } = this.take(4);
    return view.getUint32(at, true);
  }

  /** An unsigned 64-bit integer; Infinity beyond 2^53 - 1, so that every limit refuses it. */
  u64(): number {
    const { view, at } = this.take(8);
    const high = view.getUint32(at + 4, true);
    return high >= 2 ** 21 ? Infinity : high * 2 ** 32 + view.getUint32(at, true);
  }

  /** A string of up to 255 bytes with its length before it, if all of it is in the window; else undefined, not moving on. */
  shortText(): string | undefined {
    if (!this.has(8)) return undefined;
    const length = this.#view.getUint8(this.#at);
    const isShort = this.#view.getUint32(this.#at, true) === length && this.#view.getUint32(this.#at + 4, true) === 0;
    if (!isShort || !this.has(8 + length)) return undefined;
    this.#at += 8;
    return this.text(length);
  }

  /** UTF-8 text of `bytes` bytes; with `strict`, undefined if it is not valid UTF-8. */
  text(bytes: number, strict: true): string | undefined;
  text(bytes: number): string;
  text(bytes: number, strict = false): string | undefined {
    const slice = this.peek(bytes);
    this.#at += bytes;
    if (!strict) return shortAscii(slice) ?? this.#lossy.decode(slice);
    try {
      return this.#strict.decode(slice);
    } catch {
      return undefined;
    }
  }
}
