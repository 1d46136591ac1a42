import { InferenceError } from "../errors.ts";
import { createTemporaryFile, hasFileSystem } from "../platform/files.ts";
import { blobFile } from "./memory-file.ts";
import type { WeightFile } from "./weight-file.ts";

/** Takes a download's bytes in order and gives them back at random. A persistent store can stand in its place. */
export interface Spool {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  finish(): Promise<WeightFile>;
  /** Drops what was written; idempotent. */
  discard(): Promise<void>;
}

/** Makes the spool of one file; `size` in bytes is undefined while nobody has told. */
export type OpenSpool = (name: string, size: number | undefined) => Promise<Spool>;

// Chunks go into a Blob of this size each, which browsers move out of the page's memory.
const partBytes = 32 * 2 ** 20;
// What is kept in memory where the disk is denied: enough for small models.
const deniedLimit = 512 * 2 ** 20;

function blobSpool(name: string, limit: number, full?: unknown): Spool {
  let parts: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let pending = 0;
  let total = 0;
  const flush = (): void => {
    if (chunks.length > 0) parts.push(new Blob(chunks));
    chunks = [];
    pending = 0;
  };
  return {
    async write(chunk) {
      total += chunk.byteLength;
      if (total > limit) throw full;
      chunks.push(chunk);
      pending += chunk.byteLength;
      if (pending >= partBytes) flush();
    },
    async finish() {
      flush();
      return blobFile(name, new Blob(parts));
    },
    async discard() {
      chunks = [];
      parts = [];
    },
  };
}

async function diskSpool(name: string): Promise<Spool> {
  const file = await createTemporaryFile(name);
  return { write: (chunk) => file.write(chunk), finish: async () => file.finish(), discard: () => file.discard() };
}

/**
 * A spool on disk in Node, Deno and Bun (gone when closed or when the process ends), a Blob elsewhere. Where the disk
 * is denied, files up to 512 MiB are kept in memory.
 *
 * @throws {InferenceError} `unsupported`, `memory`
 */
export const openSpool: OpenSpool = async (name, size) => {
  if (!hasFileSystem()) return blobSpool(name, Infinity);
  try {
    return await diskSpool(name);
  } catch (error) {
    if (!InferenceError.is(error, "unsupported") || (size ?? 0) > deniedLimit) throw error;
    return blobSpool(name, deniedLimit, error);
  }
};
