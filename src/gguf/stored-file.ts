import { InferenceError } from "../errors.ts";
import type { Integrity } from "../platform/integrity.ts";
import { integrityError } from "../platform/integrity.ts";
import { openLocalFile } from "../platform/files.ts";
import type { Sha256 } from "../platform/sha256.ts";
import { createSha256 } from "../platform/sha256.ts";
import { DiskBlob } from "../store/disk-blob.ts";
import type { ModelStore } from "../store/model-store.ts";
import type { Preparation, SourceFile } from "./download.ts";
import type { Entry } from "./entry.ts";
import { entryKey, keyOf, readEntry, writeNote } from "./entry.ts";
import type { Validators } from "./http-ranges.ts";
import { changedError, sameFile } from "./http-ranges.ts";
import { urlFileName, withoutSecrets } from "./http.ts";
import type { TransferOptions } from "./http-transfer.ts";
import { urlTransfer } from "./http-transfer.ts";
import { Incoming } from "./incoming.ts";
import { toldDigest } from "./linked-digest.ts";
import { blobFile } from "./memory-file.ts";
import type { Transfer } from "./transfer.ts";
import { hashFile } from "./verify.ts";
import type { WeightFile } from "./weight-file.ts";

export interface StoredOptions extends TransferOptions {
  readonly store: ModelStore;
  /** What the Hub says that the file is. */
  readonly told?: Integrity | undefined;
}

/** A download as far as it is open: what is here of it, and the transfer of the rest. */
interface Opened {
  readonly incoming: Incoming;
  /** Bytes of the part that are good. */
  readonly base: Blob;
  /** Bytes of the part when it was looked at, good or not. */
  readonly partSize: number;
  readonly size: number | undefined;
  readonly validators: Validators;
  /** What the server tells that it is. */
  readonly told: Integrity | undefined;
}

const pollMs = 300;

/** A kept Blob as a file. */
async function keptFile(name: string, blob: Blob): Promise<WeightFile> {
  if (!(blob instanceof DiskBlob)) return blobFile(name, blob);
  // Open as long as it is used, so that it outlives its removal.
  const file = await openLocalFile(blob.path);
  return { name, size: file.size, read: (...range) => file.read(...range), close: () => file.close() };
}

/**
 * Opens a file that is kept, without a request, or begins to fetch it: from where its part ends, if the server still has
 * the same file.
 *
 * @throws {InferenceError} `network`; what the store throws; or `signal.reason`
 */
export async function openStored(address: string, options: StoredOptions): Promise<StoredFile> {
  const key = keyOf(address);
  const blob = await options.store.open(key);
  if (!blob) return new StoredFile(address, options, await openPart(address, key, options));
  return new StoredFile(address, options, await keptFile(urlFileName(address), blob));
}

async function openPart(address: string, key: string, options: StoredOptions): Promise<Opened> {
  const part = options.plain ? null : ((await options.store.partial?.(key)) ?? null);
  const entry = part && (await readEntry(options.store, key));
  const resume =
    part && entry?.size && part.size > 0 && part.size <= entry.size
      ? { at: part.size, size: entry.size, validators: entry.validators }
      : undefined;
  if (part && entry && resume && part.size === resume.size) {
    // All of it is here, and was not yet called whole.
    const { size, validators } = resume;
    const transfer: Transfer = {
      name: entry.name,
      label: withoutSecrets(address),
      details: {},
      size,
      next: async () => undefined,
      rush: async () => {},
      cancel: async () => {},
    };
    const incoming = new Incoming(transfer, part);
    return { incoming, base: part, partSize: size, size, validators, told: undefined };
  }
  const transfer = await urlTransfer(address, { ...options, resume });
  const base = part && transfer.start > 0 ? part.slice(0, transfer.start) : new Blob([]);
  const { size, validators } = transfer;
  const told = options.told ?? (await toldDigest(address, transfer, options));
  return { incoming: new Incoming(transfer, base), base, partSize: part?.size ?? 0, size, validators, told };
}

/** A file that is kept in a store, or is on its way into it. */
export class StoredFile implements SourceFile {
  readonly name: string;
  readonly told: Integrity | undefined;
  readonly #address: string;
  readonly #key: string;
  readonly #options: StoredOptions;
  #opened: Opened | undefined;
  #kept: WeightFile | undefined;

  constructor(address: string, options: StoredOptions, found: Opened | WeightFile) {
    this.name = urlFileName(address);
    this.#address = address;
    this.#key = keyOf(address);
    this.#options = options;
    if ("incoming" in found) this.#opened = found;
    else this.#kept = found;
    this.told = options.told ?? this.#opened?.told;
  }

  get size(): number | undefined {
    return this.#kept?.size ?? this.#opened?.incoming.size;
  }

  get here(): number {
    return this.#opened?.base.size ?? 0;
  }

  get isPresent(): boolean {
    return this.#kept !== undefined;
  }

  async read(
    offset: number,
    length: number,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#kept) return this.#kept.read(offset, length, signal ? { signal } : {});
    return (await this.#reopened()).incoming.read(offset, length, signal);
  }

  async prepare(options: Preparation): Promise<WeightFile> {
    if (this.#kept) return (await this.#isKnown(options.integrity)) ? this.#kept : this.#checked(this.#kept, options);
    return this.#alone(options, async (signal) => {
      const { store } = this.#options;
      const blob = await store.open(this.#key);
      if (blob) return this.#broughtByOthers(blob, options);
      const size = (await store.partial?.(this.#key))?.size ?? 0;
      // Others were at it since the header was read: on from where they stopped.
      if (size !== this.#opened?.partSize) await this.#reopen();
      return this.#bring(await this.#reopened(), { ...options, signal });
    });
  }

  /** Holds the key's lock; meanwhile tells how far the others are who have it. */
  async #alone(
    { signal, onbytes }: Preparation,
    work: (signal: AbortSignal | undefined) => Promise<WeightFile>,
  ): Promise<WeightFile> {
    const { store } = this.#options;
    const watch = setInterval(() => {
      const look = async (): Promise<void> => onbytes((await store.partial?.(this.#key))?.size ?? 0);
      void look().catch(() => {});
    }, pollMs);
    const lock = await store.lock?.(this.#key, signal).finally(() => clearInterval(watch));
    clearInterval(watch);
    try {
      const signals = [signal, lock?.lost].filter((one) => one !== undefined);
      return await work(signals.length > 0 ? AbortSignal.any(signals) : undefined);
    } finally {
      await lock?.[Symbol.asyncDispose]();
    }
  }

  async #broughtByOthers(blob: Blob, options: Preparation): Promise<WeightFile> {
    const entry = await readEntry(this.#options.store, this.#key);
    const opened = this.#opened;
    opened?.incoming.stop();
    if (opened && entry && sameFile(opened.validators, entry.validators) === false) {
      throw changedError(withoutSecrets(this.#address), "another download brought another file", {
        url: entry.address,
      });
    }
    this.#kept = await keptFile(this.name, blob);
    options.onbytes(blob.size);
    // Whoever brought it may have been told of no digest.
    if (options.integrity && !options.integrity.digests.includes(entry?.sha256 ?? "")) {
      return this.#checked(this.#kept, options);
    }
    return this.#kept;
  }

  /** Whether a kept file was found to be this when it came. Where a caller says what it is to be, it is read again. */
  async #isKnown(integrity: Integrity | undefined): Promise<boolean> {
    if (integrity === undefined) return true;
    if (integrity !== this.told) return false;
    const entry = await readEntry(this.#options.store, this.#key);
    return integrity.digests.includes(entry?.sha256 ?? "");
  }

  /** A kept file that is not what it has to be is thrown away, so that loading again fetches it anew. */
  async #checked(file: WeightFile, { integrity, signal, onverify }: Preparation): Promise<WeightFile> {
    if (!integrity) return file;
    const digest = (await hashFile(file, { signal, onverify })).hex();
    if (integrity.digests.includes(digest)) return file;
    await file.close();
    await this.#forget();
    const cause = integrityError(this.name, integrity, digest);
    throw new InferenceError("integrity", cause.message, { cause, details: { ...cause.details, kept: true } });
  }

  async #reopened(): Promise<Opened> {
    return this.#opened ?? this.#reopen();
  }

  async #reopen(): Promise<Opened> {
    const before = this.#opened;
    before?.incoming.stop();
    const now = await openPart(this.#address, this.#key, this.#options);
    if (before && (sameFile(before.validators, now.validators) === false || before.size !== now.size)) {
      now.incoming.stop();
      throw changedError(withoutSecrets(this.#address), "its header was another", {
        url: withoutSecrets(this.#address),
      });
    }
    this.#opened = now;
    return now;
  }

  async #bring({ incoming, base, size, validators }: Opened, options: Preparation): Promise<WeightFile> {
    const { store } = this.#options;
    const { signal, integrity, onbytes } = options;
    const entry: Entry = {
      version: 1,
      address: withoutSecrets(this.#address),
      name: this.name,
      size: size ?? null,
      validators,
    };
    onbytes(base.size);
    const hash = createSha256();
    let received = base.size;
    if (base.size === 0) {
      // In this order: a part never stands beside what was said of another file.
      await this.#forget();
      await writeNote(store, entryKey(this.#key), entry);
    } else await this.#hashBase(base, hash, options);
    const writer = (await store.create(this.#key, base.size)).getWriter();
    try {
      for await (const chunk of incoming.rest(signal)) {
        hash.update(chunk);
        await writer.write(chunk);
        received += chunk.byteLength;
        onbytes(received);
      }
    } catch (error) {
      incoming.stop(error);
      await writer.abort(error).catch(() => {});
      throw error;
    }
    const digest = hash.hex();
    if (integrity && !integrity.digests.includes(digest)) {
      await writer.abort().catch(() => {});
      await this.#forget();
      throw integrityError(this.name, integrity, digest);
    }
    await writer.close();
    await writeNote(store, entryKey(this.#key), { ...entry, size: received, sha256: digest });
    const blob = await store.open(this.#key);
    if (!blob) throw changedError(entry.address, "what was kept is gone again", { url: entry.address });
    this.#kept = await keptFile(this.name, blob);
    return this.#kept;
  }

  async #hashBase(base: Blob, hash: Sha256, { signal, onverify }: Preparation): Promise<void> {
    await hashFile(blobFile(this.name, base), { signal, onverify, hash });
  }

  async #forget(): Promise<void> {
    await this.#options.store.delete(this.#key);
    await this.#options.store.delete(entryKey(this.#key));
  }

  async close(reason?: unknown): Promise<void> {
    this.#opened?.incoming.stop(reason);
    await this.#kept?.close();
  }
}
