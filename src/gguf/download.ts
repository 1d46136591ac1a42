import type { Integrity } from "../platform/integrity.ts";
import { createSha256 } from "../platform/sha256.ts";
import type { HeaderSource } from "./byte-cursor.ts";
import { Incoming } from "./incoming.ts";
import type { OpenSpool } from "./spool.ts";
import type { Transfer } from "./transfer.ts";
import { checkDigest, verifyFile } from "./verify.ts";
import type { WeightFile } from "./weight-file.ts";

/** What bringing a file needs. */
export interface Preparation {
  readonly signal: AbortSignal | undefined;
  readonly openSpool: OpenSpool;
  /** What the file has to be; undefined: nobody says. */
  readonly integrity: Integrity | undefined;
  /** Told how many bytes are here, over and over; fewer than before if it starts over. */
  readonly onbytes: (bytes: number) => void;
  /** Told how many bytes that are here already were looked at. */
  readonly onverify: (bytes: number, total: number) => void;
}

/** A file that is not here yet: its beginning can be read, and `prepare` brings the rest. */
export interface SourceFile extends HeaderSource {
  /** Nothing is left to fetch. */
  readonly isPresent: boolean;
  /** Bytes that an interrupted download has left. */
  readonly here?: number;
  /** What the file has to be, as its own server says. */
  readonly told?: Integrity | undefined;
  /** Makes all of it readable at random; called once. */
  prepare(options: Preparation): Promise<WeightFile>;
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
    prepare: async ({ signal, integrity, onverify }) => {
      signal?.throwIfAborted();
      if (integrity) await verifyFile(file, integrity, { signal, onverify });
      return file;
    },
    close: () => file.close(),
  };
}

/** A file behind a transfer: what its header takes is kept in memory, then all of it is spooled once. */
export class DownloadFile implements SourceFile {
  readonly name: string;
  readonly isPresent: boolean = false;
  readonly told: Integrity | undefined;
  readonly #incoming: Incoming;
  #spooled: WeightFile | undefined;

  constructor(transfer: Transfer, told?: Integrity) {
    this.name = transfer.name;
    this.told = told;
    this.#incoming = new Incoming(transfer);
  }

  get size(): number | undefined {
    return this.#incoming.size;
  }

  async read(
    offset: number,
    length: number,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#spooled) return this.#spooled.read(offset, length, signal ? { signal } : {});
    return this.#incoming.read(offset, length, signal);
  }

  async prepare({ signal, openSpool, integrity, onbytes }: Preparation): Promise<WeightFile> {
    const spool = await openSpool(this.name, this.size);
    const hash = integrity && createSha256();
    let received = 0;
    try {
      for await (const chunk of this.#incoming.rest(signal)) {
        hash?.update(chunk);
        await spool.write(chunk);
        received += chunk.byteLength;
        onbytes(received);
      }
      if (integrity && hash) checkDigest(hash.hex(), integrity, this.name);
      this.#spooled = await spool.finish();
      return this.#spooled;
    } catch (error) {
      this.#incoming.stop(error);
      await spool.discard();
      throw error;
    }
  }

  async close(reason?: unknown): Promise<void> {
    this.#incoming.stop(reason);
    await this.#spooled?.close();
  }
}
