import { InferenceError } from "../errors.ts";
import { builtinModule, detectRuntime } from "./detect.ts";

/** A file on disk, read at random. */
export interface LocalFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Reads `length` bytes at `offset`, into a buffer if one is given; fewer only at the end of the file. */
  read(
    offset: number,
    length: number,
    options?: { signal?: AbortSignal; into?: ArrayBuffer | undefined },
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** A file on disk that no name leads to: it is gone when closed, or when the process ends in any way. */
export interface TemporaryFile {
  /** Appends all of `chunk`. */
  write(chunk: Uint8Array): Promise<void>;
  /** What was written, for reading; closing it removes it. */
  finish(): LocalFile;
  /** Idempotent. */
  discard(): Promise<void>;
}

// The little of node:fs/promises that is used; its positions are 64 bits wide in Node, Deno and Bun, unlike openAsBlob's sizes.
interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  close(): Promise<void>;
}
interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  unlink(path: string): Promise<void>;
}
interface Paths {
  basename(path: string): string;
  join(...parts: string[]): string;
}

// One read of node:fs moves at most 2 GiB.
const largestRead = 2 ** 30;

interface Host {
  readonly fs: FileSystem;
  readonly path: Paths;
  readonly os: { tmpdir(): string };
  readonly url: { fileURLToPath(url: URL): string };
}

function host(): Host | undefined {
  if (!["node", "deno", "bun"].includes(detectRuntime())) return undefined;
  const fs = builtinModule<FileSystem>("node:fs/promises");
  const path = builtinModule<Paths>("node:path");
  const os = builtinModule<Host["os"]>("node:os");
  const url = builtinModule<Host["url"]>("node:url");
  return fs && path && os && url ? { fs, path, os, url } : undefined;
}

/** Whether paths and `file:` URLs mean something here: in Node, Deno and Bun. */
export function hasFileSystem(): boolean {
  return host() !== undefined;
}

function requireHost(action: string): Host {
  const found = host();
  if (found) return found;
  throw new InferenceError(
    "unsupported",
    `Cannot ${action}: this host has no file system; give a URL, a File or bytes`,
  );
}

function errorField(error: unknown, field: "code" | "name" | "message"): string {
  if (typeof error !== "object" || error === null) return "";
  const value: unknown = Reflect.get(error, field);
  return typeof value === "string" ? value : "";
}

/** Deno's own refusal, as against one of the operating system. */
function isDenoRefusal(error: unknown): boolean {
  return detectRuntime() === "deno" && ["NotCapable", "PermissionDenied"].includes(errorField(error, "name"));
}

function readingFailed(path: string, cause: unknown): InferenceError {
  const code = errorField(cause, "code");
  const details = { path, ...(code ? { errno: code } : {}) };
  if (code === "ENOENT" || errorField(cause, "name") === "NotFound") {
    return new InferenceError(
      "network",
      `Cannot read ${path}: there is no such file; the path of a GGUF file is wanted`,
      { cause, details },
    );
  }
  if (isDenoRefusal(cause) || code === "EACCES" || code === "EPERM") {
    const remedy = isDenoRefusal(cause)
      ? `run deno with --allow-read, or --allow-read=${path}`
      : "allow this user to read it";
    return new InferenceError("unsupported", `Cannot read ${path}: permission denied; ${remedy}`, { cause, details });
  }
  return new InferenceError("network", `Cannot read ${path}: ${errorField(cause, "message") || String(cause)}`, {
    cause,
    details,
  });
}

/** Reads a handle's `length` bytes at `offset`, fewer only at the end of the file. */
async function readFully(
  handle: FileHandle,
  range: { offset: number; length: number; into?: ArrayBuffer | undefined; signal?: AbortSignal | undefined },
): Promise<Uint8Array<ArrayBuffer>> {
  const { into } = range;
  const bytes =
    into && into.byteLength >= range.length ? new Uint8Array(into, 0, range.length) : new Uint8Array(range.length);
  let done = 0;
  while (done < range.length) {
    range.signal?.throwIfAborted();
    const { bytesRead } = await handle.read(
      bytes,
      done,
      Math.min(range.length - done, largestRead),
      range.offset + done,
    );
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  range.signal?.throwIfAborted();
  return bytes.subarray(0, done);
}

function checkRange(name: string, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0) return;
  throw new RangeError(`Cannot read ${length} bytes at ${offset} of ${name}; integers from 0 are wanted`);
}

function localFile(handle: FileHandle, about: { name: string; path: string; size: number }): LocalFile {
  const { name, path, size } = about;
  let closing: Promise<void> | undefined;
  return {
    name,
    size,
    async read(offset, length, { signal, into } = {}) {
      checkRange(name, offset, length);
      if (closing) throw new InferenceError("closed", `Cannot read ${name}: it is closed`);
      // Never more than the file has: `length` may come from a caller's window, not from the file's end.
      const available = Math.max(0, Math.min(length, size - offset));
      try {
        return await readFully(handle, { offset, length: available, into, signal });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw readingFailed(path, error);
      }
    },
    close() {
      closing ??= handle.close();
      return closing;
    },
  };
}

/**
 * Opens a file on disk. No limit at 4 GiB.
 *
 * @param path A path, or a `file:` URL.
 * @throws {InferenceError} `network` if it cannot be read, `unsupported` if it must not be or there is no file system
 */
export async function openLocalFile(path: string | URL): Promise<LocalFile> {
  const { fs, path: paths, url } = requireHost(`open ${String(path)}`);
  const place = path instanceof URL ? url.fileURLToPath(path) : path;
  let handle: FileHandle;
  try {
    handle = await fs.open(place, "r");
  } catch (error) {
    throw readingFailed(place, error);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new InferenceError("network", `Cannot read ${place}: it is not a file; the path of a GGUF file is wanted`, {
        details: { path: place },
      });
    }
    return localFile(handle, { name: paths.basename(place), path: place, size: stat.size });
  } catch (error) {
    await handle.close();
    throw InferenceError.is(error) ? error : readingFailed(place, error);
  }
}

function writingFailed(path: string, cause: unknown): InferenceError {
  const code = errorField(cause, "code");
  const details = { path, ...(code ? { errno: code } : {}) };
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new InferenceError(
      "memory",
      `Cannot keep the model in ${path}: no space is left there; set TMPDIR to a folder with more`,
      { cause, details },
    );
  }
  const remedy = isDenoRefusal(cause)
    ? `run deno with --allow-write=${path} and --allow-read=${path}`
    : "set TMPDIR to a folder that can be written";
  return new InferenceError(
    "unsupported",
    `Cannot keep the model in ${path}: ${errorField(cause, "message") || String(cause)}; ${remedy}`,
    { cause, details },
  );
}

/**
 * Makes a temporary file, in the folder that `TMPDIR` (or its like) names, and takes its name away at once.
 *
 * @param name What to call it in messages.
 * @throws {InferenceError} `unsupported` if none can be made, `memory` (from `write`) if the disk is full
 */
export async function createTemporaryFile(name: string): Promise<TemporaryFile> {
  const { fs, path: paths, os } = requireHost("keep a model on disk");
  let folder = "the temporary folder";
  let handle: FileHandle;
  try {
    folder = os.tmpdir();
    const place = paths.join(folder, `ruminate-${crypto.randomUUID()}.part`);
    handle = await fs.open(place, "wx+", 0o600);
    try {
      await fs.unlink(place);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw writingFailed(folder, error);
  }
  let size = 0;
  let closing: Promise<void> | undefined;
  return {
    async write(chunk) {
      try {
        for (let done = 0; done < chunk.byteLength;) {
          const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, size);
          done += bytesWritten;
          size += bytesWritten;
        }
      } catch (error) {
        throw writingFailed(folder, error);
      }
    },
    finish: () => localFile(handle, { name, path: `${folder} (${name})`, size }),
    discard() {
      closing ??= handle.close();
      return closing;
    },
  };
}
