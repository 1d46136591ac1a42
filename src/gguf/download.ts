import { InferenceError } from "../errors.ts";
import { abortable } from "./abortable.ts";
import type { HeaderSource } from "./byte-cursor.ts";
import type { OpenSpool } from "./spool.ts";
import type { WeightFile } from "./weight-file.ts";

/** Bytes on their way, in order. */
export interface Transfer {
  readonly name: string;
  /** Bytes; undefined while the other side has not told. */
  readonly size: number | undefined;
  /** What to call it in messages, and in their details. */
  readonly label: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The next bytes, or undefined at the end. `wanted`: how many can be used now. */
  next(wanted: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** From now on every byte is wanted, so one long response is better than many short ones. */
  rush(signal: AbortSignal | undefined): Promise<void>;
  /** Stops it; idempotent. */
  cancel(reason?: unknown): Promise<void>;
}

/** A file that is not here yet: its beginning can be read, and `prepare` brings the rest. */
export interface SourceFile extends HeaderSource {
  /** Nothing is left to fetch. */
  readonly isPresent: boolean;
  /** Makes all of it readable at random; called once. `onbytes` is told how many bytes came since. */
  prepare(options: {
    signal: AbortSignal | undefined;
    openSpool: OpenSpool;
    onbytes: (bytes: number) => void;
  }): Promise<WeightFile>;
  /** Idempotent; also closes what `prepare` gave. */
  close(reason?: unknown): Promise<void>;
}

/** A file that is here already. */
export function presentFile(file: WeightFile): SourceFile {
  return {
    name: file.name,
    size: file.size,
    isPresent: true,
    read: (offset, length, options) => file.read(offset, length, options),
    prepare: async ({ signal }) => {
      signal?.throwIfAborted();
      return file;
    },
    close: () => file.close(),
  };
}

/** A file behind a transfer: what its header takes is kept in memory, then all of it is spooled once. */
export class DownloadFile implements SourceFile {
  readonly name: string;
  readonly isPresent: boolean = false;
  readonly #transfer: Transfer;
  #prefix: Uint8Array<ArrayBuffer>[] = [];
  #received = 0;
  #ended = false;
  #spooled: WeightFile | undefined;

  constructor(transfer: Transfer) {
    this.name = transfer.name;
    this.#transfer = transfer;
  }

  get size(): number | undefined {
    return this.#transfer.size ?? (this.#ended ? this.#received : undefined);
  }

  async read(
    offset: number,
    length: number,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#spooled) return this.#spooled.read(offset, length, signal ? { signal } : {});
    while (!this.#ended && this.#received < offset + length) {
      const chunk = await this.#next(offset + length - this.#received, signal);
      if (chunk) this.#prefix.push(chunk);
    }
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#received - offset)));
    let start = 0;
    for (const chunk of this.#prefix) {
      const from = Math.max(offset, start);
      const to = Math.min(offset + bytes.byteLength, start + chunk.byteLength);
      if (from < to) bytes.set(chunk.subarray(from - start, to - start), from - offset);
      start += chunk.byteLength;
    }
    return bytes;
  }

  async #next(wanted: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      signal?.throwIfAborted();
      const chunk = await abortable(this.#transfer.next(wanted, signal), signal);
      if (chunk) this.#received += chunk.byteLength;
      else this.#end();
      return chunk;
    } catch (error) {
      await this.#stop(error);
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
      {
        details: { ...details, received: this.#received, size },
      },
    );
  }

  // Not awaited: a body that hangs must not hold back the abort that it causes.
  async #stop(reason: unknown): Promise<void> {
    this.#ended = true;
    this.#prefix = [];
    void this.#transfer.cancel(reason).catch(() => {});
  }

  async prepare(options: Parameters<SourceFile["prepare"]>[0]): Promise<WeightFile> {
    const { signal, openSpool, onbytes } = options;
    const spool = await openSpool(this.name, this.size);
    try {
      for (const chunk of this.#prefix) {
        await spool.write(chunk);
        onbytes(chunk.byteLength);
      }
      this.#prefix = [];
      if (!this.#ended) await abortable(this.#transfer.rush(signal), signal);
      while (!this.#ended) {
        const chunk = await this.#next(Infinity, signal);
        if (!chunk) break;
        await spool.write(chunk);
        onbytes(chunk.byteLength);
      }
      signal?.throwIfAborted();
      this.#spooled = await spool.finish();
      return this.#spooled;
    } catch (error) {
      await this.#stop(error);
      await spool.discard();
      throw error;
    }
  }

  async close(reason?: unknown): Promise<void> {
    if (!this.#ended) await this.#stop(reason);
    await this.#spooled?.close();
  }
}

/** What is known of a stream; `signal` is the one that the request behind it was made with. */
export interface StreamDescription extends Omit<Transfer, "next" | "rush" | "cancel"> {
  readonly signal?: AbortSignal | undefined;
}

/** A transfer over a stream that comes once. */
export function streamTransfer(stream: ReadableStream<Uint8Array<ArrayBuffer>>, about: StreamDescription): Transfer {
  const reader = stream.getReader();
  return {
    name: about.name,
    size: about.size,
    label: about.label,
    details: about.details,
    async next(_wanted, signal) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return undefined;
          if (!(value instanceof Uint8Array))
            throw new TypeError(`Cannot read ${about.label}: its stream gives ${typeof value}; bytes are wanted`);
          if (value.byteLength > 0) return value;
        }
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        if (about.signal?.aborted) throw about.signal.reason;
        if (cause instanceof TypeError && cause.message.startsWith("Cannot read")) throw cause;
        throw new InferenceError("network", `Cannot read ${about.label}: it broke off (${String(cause)})`, {
          cause,
          details: about.details,
        });
      }
    },
    rush: async () => {},
    cancel: (reason) => reader.cancel(reason),
  };
}
