import { InferenceError } from "../errors.ts";
import type { ModelStore, StoreLock } from "./model-store.ts";
import { checkKey, fullError, shortPartError } from "./model-store.ts";

/** What a browser offers, or a test in its place. */
export interface OpfsHost {
  /** The folder that models are kept in. */
  folder(): Promise<FileSystemDirectoryHandle>;
  readonly locks: Pick<LockManager, "request"> | undefined;
  /** Bytes of one segment; default: 32 MiB. */
  readonly segmentBytes?: number;
}

// A page can't append to a file: what it writes shows when its writer is closed, and a writer that keeps what was there
// copies it. So a model lies in segments, of which a closed tab loses the last at most.
const usualSegment = 32 * 2 ** 20;
const mark = ".whole";
const segmentName = (key: string, index: number): string => `${key}.${String(index).padStart(6, "0")}`;

const isMissing = (error: unknown): boolean => error instanceof DOMException && error.name === "NotFoundError";

function failed(cause: unknown): unknown {
  // Older browsers have a DOMException of that name, newer ones a class.
  const isFull = cause instanceof Error && cause.name === "QuotaExceededError";
  return isFull
    ? fullError("the browser's storage", "free some on this device, or let the user allow more", cause)
    : cause;
}

async function existing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function readFile(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  const handle = await existing(folder.getFileHandle(name));
  return handle && handle.getFile();
}

/** Segments in a row, up to the first that is missing or not full. */
async function segments(folder: FileSystemDirectoryHandle, key: string, segmentBytes: number): Promise<File[]> {
  const files: File[] = [];
  for (;;) {
    const file = await readFile(folder, segmentName(key, files.length));
    if (!file || file.size === 0) return files;
    files.push(file);
    if (file.size < segmentBytes) return files;
  }
}

async function removeFrom(folder: FileSystemDirectoryHandle, key: string, first: number): Promise<void> {
  for (let index = first; ; index++) {
    const name = segmentName(key, index);
    if (!(await existing(folder.getFileHandle(name)))) return;
    await existing(folder.removeEntry(name));
  }
}

/** The size that the mark of a whole entry tells; null without one. */
async function markedSize(folder: FileSystemDirectoryHandle, key: string): Promise<number | null> {
  const text = await (await readFile(folder, key + mark))?.text();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

/** Writes one file, which shows when it is closed. */
class Segments {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #key: string;
  readonly #segmentBytes: number;
  #writer: FileSystemWritableFileStream | undefined;
  #size: number;

  constructor(folder: FileSystemDirectoryHandle, key: string, about: { size: number; segmentBytes: number }) {
    this.#folder = folder;
    this.#key = key;
    this.#size = about.size;
    this.#segmentBytes = about.segmentBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength;) {
      const inside = this.#size % this.#segmentBytes;
      this.#writer ??= await this.#open(inside);
      const piece = chunk.subarray(at, at + this.#segmentBytes - inside);
      // Copied, since a view of shared memory is refused, and of one type.
      await this.#writer.write(new Uint8Array(piece));
      at += piece.byteLength;
      this.#size += piece.byteLength;
      if (this.#size % this.#segmentBytes === 0) await this.keep();
    }
  }

  async #open(inside: number): Promise<FileSystemWritableFileStream> {
    const name = segmentName(this.#key, Math.floor(this.#size / this.#segmentBytes));
    const handle = await this.#folder.getFileHandle(name, { create: true });
    const writer = await handle.createWritable({ keepExistingData: inside > 0 });
    if (inside > 0) {
      await writer.truncate(inside);
      await writer.seek(inside);
    }
    return writer;
  }

  /** Lets what was written show. */
  async keep(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }

  async finish(): Promise<void> {
    await this.keep();
    const handle = await this.#folder.getFileHandle(this.#key + mark, { create: true });
    const writer = await handle.createWritable();
    await writer.write(String(this.#size));
    await writer.close();
  }
}

/**
 * A store in a browser's origin-private file system, for pages and workers.
 *
 * @throws {InferenceError} `unsupported` where there is none
 */
export function opfsStore(host: OpfsHost = browserHost()): ModelStore {
  const { segmentBytes = usualSegment, locks } = host;
  const partOf = async (folder: FileSystemDirectoryHandle, key: string): Promise<Blob | null> => {
    const files = await segments(folder, key, segmentBytes);
    return files.length > 0 ? new Blob(files) : null;
  };
  return {
    async open(key) {
      checkKey(key);
      const folder = await host.folder();
      const size = await markedSize(folder, key);
      if (size === null) return null;
      const blob = (await partOf(folder, key)) ?? new Blob([]);
      return blob.size === size ? blob : null;
    },
    async partial(key) {
      checkKey(key);
      const folder = await host.folder();
      return (await markedSize(folder, key)) === null ? partOf(folder, key) : null;
    },
    async create(key, at) {
      checkKey(key);
      const folder = await host.folder();
      const size = (await partOf(folder, key))?.size ?? 0;
      if (size < at) throw shortPartError(key, { at, size });
      await existing(folder.removeEntry(key + mark));
      await removeFrom(folder, key, Math.ceil(at / segmentBytes));
      const written = new Segments(folder, key, { size: at, segmentBytes });
      return new WritableStream<Uint8Array>({
        async write(chunk) {
          try {
            await written.write(chunk);
          } catch (error) {
            await written.keep().catch(() => {});
            throw failed(error);
          }
        },
        async close() {
          try {
            await written.finish();
          } catch (error) {
            throw failed(error);
          }
        },
        abort: () => written.keep(),
      });
    },
    async delete(key) {
      checkKey(key);
      const folder = await host.folder();
      await existing(folder.removeEntry(key + mark));
      await removeFrom(folder, key, 0);
    },
    async *keys() {
      for await (const name of (await host.folder()).keys()) if (name.endsWith(mark)) yield name.slice(0, -mark.length);
    },
    ...(locks ? { lock: (key: string, signal?: AbortSignal) => webLock(locks, key, signal) } : {}),
  };
}

/** The browser itself lets it go when the tab is closed. */
async function webLock(
  locks: Pick<LockManager, "request">,
  key: string,
  signal: AbortSignal | undefined,
): Promise<StoreLock> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const { promise: started, resolve: start, reject } = Promise.withResolvers<void>();
  const request = locks.request(`ruminate:${key}`, signal ? { signal } : {}, async () => {
    start();
    await ended;
  });
  void Promise.resolve(request).catch(reject);
  try {
    await started;
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
  return { [Symbol.asyncDispose]: async () => end() };
}

function browserHost(): OpfsHost {
  // Absent in pages that are not secure contexts, whatever the types say.
  const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
  const root = storage?.getDirectory?.bind(storage);
  if (!root) {
    throw new InferenceError(
      "unsupported",
      "Cannot keep models: this host has no origin-private file system; serve the page by https, or leave store out",
    );
  }
  return {
    async folder() {
      const own = await (await root()).getDirectoryHandle("ruminate", { create: true });
      return own.getDirectoryHandle("models", { create: true });
    },
    locks: globalThis.navigator.locks,
  };
}
