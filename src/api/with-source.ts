import { InferenceError } from "../errors.ts";
import { isChanged } from "../gguf/http-ranges.ts";
import type { OpenedSource } from "../gguf/source.ts";
import { openSource } from "../gguf/source.ts";
import type { ModelStore } from "../store/model-store.ts";
import { usualStore } from "../store/usual-store.ts";
import type { LoadOptions, ModelSource } from "./contract.ts";

/** Times in all that a model is begun to load, should its file change meanwhile. */
const mostStarts = 3;

/**
 * The store that an option stands for.
 *
 * @throws {InferenceError} `unsupported` if "auto" has none on this host
 */
export function chosenStore(store: LoadOptions["store"]): ModelStore | undefined {
  return store === "auto" ? usualStore() : store || undefined;
}

/** A kept file that was not what it should be is gone by now, so that the next try fetches it. */
function wasKept(error: unknown): boolean {
  return InferenceError.is(error, "integrity") && error.details?.["kept"] === true;
}

function isOnce(source: unknown): boolean {
  if (Array.isArray(source)) return source.some(isOnce);
  return typeof source === "object" && source !== null && !(source instanceof URL) && !("hf" in source);
}

/**
 * Opens a source and works with it. If a server's file changes meanwhile, all of it starts over, header first, so that
 * what was read of two files is never mixed.
 *
 * @param work Closes what it opens on top; the source is closed here if it fails.
 */
export async function withSource<T>(
  source: ModelSource,
  { signal, fetch, store: wanted }: Pick<LoadOptions, "signal" | "fetch" | "store">,
  work: (opened: OpenedSource) => Promise<T>,
): Promise<T> {
  const store = chosenStore(wanted);
  for (let start = 1; ; start++) {
    signal?.throwIfAborted();
    let opened: OpenedSource | undefined;
    try {
      opened = await openSource(source, {
        ...(signal ? { signal } : {}),
        ...(fetch ? { fetch } : {}),
        store,
        // The last time without ranges: some servers lie about them.
        plain: start === mostStarts,
      });
      return await work(opened);
    } catch (error) {
      await opened?.close();
      const isOver = start === mostStarts || isOnce(source) || !(isChanged(error) || wasKept(error));
      if (isOver) throw error;
    }
  }
}
