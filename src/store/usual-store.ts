import { hasFileSystem } from "../platform/files.ts";
import { diskStore } from "./disk-store.ts";
import type { ModelStore } from "./model-store.ts";
import { opfsStore } from "./opfs-store.ts";

/**
 * The store that "auto" stands for: the user's cache folder in Node, Deno and Bun, the origin-private file system in
 * browsers.
 *
 * @throws {InferenceError} `unsupported` on other hosts
 */
export function usualStore(): ModelStore {
  return hasFileSystem() ? diskStore() : opfsStore();
}
