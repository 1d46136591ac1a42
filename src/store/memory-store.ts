import type { ModelStore } from "./model-store.ts";
import { checkKey, shortPartError } from "./model-store.ts";

// Browsers move Blobs of this size out of the page's memory.
const partBytes = 32 * 2 ** 20;

/** A store that is gone with the page or process: for tests, and for models that are loaded again and again. */
export function memoryStore(): ModelStore {
  const whole = new Map<string, Blob>();
  const parts = new Map<string, Blob>();
  const turns = new Map<string, Promise<void>>();
  return {
    open: async (key) => whole.get(key) ?? null,
    partial: async (key) => parts.get(key) ?? null,
    async create(key, at) {
      checkKey(key);
      const before = parts.get(key) ?? new Blob([]);
      if (before.size < at) throw shortPartError(key, { at, size: before.size });
      let blobs = [before.slice(0, at)];
      let chunks: Uint8Array<ArrayBuffer>[] = [];
      let pending = 0;
      const flush = (): Blob => {
        blobs.push(new Blob(chunks));
        chunks = [];
        pending = 0;
        const all = new Blob(blobs);
        blobs = [all];
        return all;
      };
      return new WritableStream<Uint8Array>({
        write(chunk) {
          // Copied: whoever gave it may use its memory again.
          chunks.push(new Uint8Array(chunk));
          pending += chunk.byteLength;
          if (pending >= partBytes) parts.set(key, flush());
        },
        close() {
          whole.set(key, flush());
          parts.delete(key);
        },
        abort: () => void parts.set(key, flush()),
      });
    },
    async delete(key) {
      whole.delete(key);
      parts.delete(key);
    },
    async *keys() {
      yield* whole.keys();
    },
    async lock(key, signal) {
      const { promise: mine, resolve: release } = Promise.withResolvers<void>();
      const before = turns.get(key);
      const turn = Promise.all([before, mine]).then(() => {});
      turns.set(key, turn);
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const onAbort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        signal?.throwIfAborted();
        await Promise.race([before, aborted]);
      } catch (error) {
        release();
        throw error;
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
      return {
        async [Symbol.asyncDispose]() {
          release();
          if (turns.get(key) === turn) turns.delete(key);
        },
      };
    },
  };
}
