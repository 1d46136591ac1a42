import { InferenceError } from "../errors.ts";
import { hostModelFolder } from "../platform/cache-folder.ts";
import { DiskFolder, errorCode } from "../platform/disk-folder.ts";
import { DiskBlob } from "./disk-blob.ts";
import type { LockTiming } from "./disk-lock.ts";
import { lockFile } from "./disk-lock.ts";
import type { ModelStore } from "./model-store.ts";
import { checkKey, fullError, shortPartError } from "./model-store.ts";

/** Where a store on disk is. */
export interface DiskStoreOptions {
  /**
   * Default: what `RUMINATE_MODELS` names, else `ruminate/models` in the user's cache folder: `XDG_CACHE_HOME` or
   * `~/.cache` on Linux, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
   */
  readonly folder?: string;
}

/**
 * A store in a folder, for Node, Deno and Bun. Whole files lie in it, parts in its subfolder `incomplete`, from where
 * they are moved in one step. Several processes may use it at once.
 *
 * @throws {InferenceError} `unsupported` where there is no file system
 *
 * @example
 * ```ts
 * await using model = await loadModel({ hf: "unsloth/GLM-Z1-9B-0414-GGUF" }, { store: diskStore({ folder: "models" }) });
 * ```
 */
export function diskStore({ folder }: DiskStoreOptions = {}): ModelStore {
  return diskStoreIn(folder ?? hostModelFolder());
}

/** The same with times of its own, for tests. */
export function diskStoreIn(path: string, timing?: LockTiming): ModelStore {
  const whole = DiskFolder.at(path);
  const parts = whole.folder("incomplete");
  const found = async (folder: DiskFolder, key: string): Promise<DiskBlob | null> => {
    checkKey(key);
    const stat = await asking(folder, folder.stat(key));
    return stat ? new DiskBlob(folder.file(key), { start: 0, end: stat.size }) : null;
  };
  return {
    open: (key) => found(whole, key),
    partial: (key) => found(parts, key),
    async create(key, at) {
      checkKey(key);
      const size = (await asking(parts, parts.stat(key)))?.size ?? 0;
      if (size < at) throw shortPartError(key, { at, size });
      await asking(parts, parts.make());
      const writer = await asking(parts, parts.writeFrom(key, at));
      return new WritableStream<Uint8Array>({
        async write(chunk) {
          try {
            await writer.write(chunk);
          } catch (error) {
            // The stream is in error then, and calls neither of the others.
            await writer.close().catch(() => {});
            throw failed(whole, error);
          }
        },
        async close() {
          try {
            // Before the name says that it is whole, it is: also after a power cut.
            await writer.sync();
          } catch (error) {
            throw failed(whole, error);
          } finally {
            await writer.close();
          }
          await asking(whole, whole.moveIn(parts, key));
        },
        abort: () => writer.close(),
      });
    },
    async delete(key) {
      checkKey(key);
      await asking(whole, Promise.all([whole.remove(key), parts.remove(key)]));
    },
    async *keys() {
      for (const name of await asking(whole, whole.names())) {
        if (name !== "incomplete" && (await whole.stat(name))) yield name;
      }
    },
    lock: (key, signal) => {
      checkKey(key);
      return asking(parts, lockFile(parts, `${key}.lock`, { signal, ...(timing ? { timing } : {}) }), signal);
    },
  };
}

async function asking<T>(folder: DiskFolder, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw failed(folder, error);
  }
}

function failed(folder: DiskFolder, cause: unknown): Error {
  if (InferenceError.is(cause)) return cause;
  const code = errorCode(cause);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return fullError(folder.path, "free some, or name another folder with RUMINATE_MODELS", cause);
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InferenceError(
    "unsupported",
    `Cannot keep models in ${folder.path}: ${reason}; name a folder that can be written and read with RUMINATE_MODELS (deno: --allow-read, --allow-write and --allow-env too)`,
    { cause, details: { place: folder.path, ...(code ? { errno: code } : {}) } },
  );
}
