import { InferenceError } from "../errors.ts";
import { abortable } from "../waiting.ts";
import type { Transfer } from "./transfer.ts";

/** A file that comes in: its beginning can be read again and again, then all that is not here yet is taken once. */
export class Incoming {
  readonly #transfer: Transfer;
  /** What was here before. */
  readonly #base: Blob;
  #prefix: Uint8Array<ArrayBuffer>[] = [];
  #received: number;
  #ended = false;

  constructor(transfer: Transfer, base: Blob = new Blob([])) {
    this.#transfer = transfer;
    this.#base = base;
    this.#received = base.size;
  }

  get size(): number | undefined {
    return this.#transfer.size ?? (this.#ended ? this.#received : undefined);
  }

  /** Reads at random, near the beginning: what this takes is kept in memory. */
  async read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    while (!this.#ended && this.#received < offset + length) {
      const chunk = await this.#next(offset + length - this.#received, signal);
      if (chunk) this.#prefix.push(chunk);
    }
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#received - offset)));
    if (offset < this.#base.size) {
      bytes.set(new Uint8Array(await this.#base.slice(offset, offset + bytes.byteLength).arrayBuffer()));
    }
    let start = this.#base.size;
    for (const chunk of this.#prefix) {
      const from = Math.max(offset, start);
      const to = Math.min(offset + bytes.byteLength, start + chunk.byteLength);
      if (from < to) bytes.set(chunk.subarray(from - start, to - start), from - offset);
      start += chunk.byteLength;
    }
    return bytes;
  }

  /** Everything after the base, once. */
  async *rest(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    for (let chunk = this.#prefix.shift(); chunk; chunk = this.#prefix.shift()) yield chunk;
    if (!this.#ended) await abortable(this.#transfer.rush(signal), signal);
    while (!this.#ended) {
      const chunk = await this.#next(Infinity, signal);
      if (chunk) yield chunk;
    }
    signal?.throwIfAborted();
  }

  async #next(wanted: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      signal?.throwIfAborted();
      const chunk = await abortable(this.#transfer.next(wanted, signal), signal);
      if (chunk) this.#received += chunk.byteLength;
      else this.#end();
      return chunk;
    } catch (error) {
      this.stop(error);
      throw error;
    }
  }

  #end(): void {
    this.#ended = true;
    const { size, label, details } = this.#transfer;
    if (size === undefined || this.#received >= size) return;
    throw new InferenceError(
      "network",
      `Cannot fetch ${label}: it ended after ${this.#received} of ${size} bytes; try again`,
      { details: { ...details, received: this.#received, size } },
    );
  }

  /** Idempotent. Not awaited: a body that hangs must not hold back the abort that it causes. */
  stop(reason?: unknown): void {
    const wasEnded = this.#ended;
    this.#ended = true;
    this.#prefix = [];
    if (!wasEnded) void this.#transfer.cancel(reason).catch(() => {});
  }
}
