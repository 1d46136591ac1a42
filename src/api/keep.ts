import { arrangeWeights, readModelHeader } from "../gguf/model-header.ts";
import type { KeptModel } from "../gguf/kept-models.ts";
import { listKept, removeKept } from "../gguf/kept-models.ts";
import { usualStore } from "../store/usual-store.ts";
import type { LoadOptions, ModelSource, ModelStore } from "./contract.ts";
import { checkIntegrity, checkStore } from "./options.ts";
import { withSource } from "./with-source.ts";

export type { KeptModel } from "../gguf/kept-models.ts";

/** How a model is fetched, not run. */
export interface DownloadOptions extends Pick<LoadOptions, "signal" | "onprogress" | "integrity" | "fetch"> {
  /** Default: "auto". */
  store?: ModelStore | "auto";
}

/** What a download has brought, or found to be there. */
export interface DownloadedModel {
  /** As the file says, else its file's name. */
  readonly name: string;
  /** Names of its files, in order. */
  readonly files: readonly string[];
  /** Bytes. */
  readonly sizeBytes: number;
}

/**
 * Fetches a model into a store, or what is missing of it, and starts nothing: `loadModel` with the same source and store
 * then needs no network. Broken off by whatever, the next call goes on from where it stopped.
 *
 * @param source An http(s) address or `{ hf }`.
 * @throws {TypeError} if an option is not of its kind
 * @throws {InferenceError} `network`, `format`, `integrity`, `memory` (no space), `busy`, `unsupported`
 * @throws `signal.reason` if aborted; what came is kept
 *
 * @example
 * ```ts
 * const { name, sizeBytes } = await downloadModel({ hf: "unsloth/GLM-Z1-9B-0414-GGUF", quant: "Q4_K_M" });
 * ```
 */
export async function downloadModel(source: ModelSource, options: DownloadOptions = {}): Promise<DownloadedModel> {
  const { signal, onprogress, integrity, fetch, store = "auto" } = options;
  checkStore(store);
  checkIntegrity(integrity);
  const abortable = signal ? { signal } : {};
  return withSource(source, { ...abortable, ...(fetch ? { fetch } : {}), store }, async (opened) => {
    const header = await readModelHeader(opened.files, abortable);
    const prepared = await opened.prepare({ ...abortable, integrity, ...(onprogress ? { onprogress } : {}) });
    const files = arrangeWeights(header, prepared).map(({ name }) => name);
    await opened.close();
    const named = header.metadata.get("general.name");
    return { name: typeof named === "string" ? named : header.label, files, sizeBytes: header.sizeBytes };
  });
}

/**
 * What a store keeps, parts of downloads that were broken off included, by name.
 *
 * @param store Default: that of "auto".
 * @throws {InferenceError} `unsupported` if this host has none
 */
export function keptModels(store: ModelStore = usualStore()): Promise<KeptModel[]> {
  return listKept(store);
}

/**
 * Removes a model and its parts from a store, after downloads of it that run.
 *
 * @param model A name that `keptModels` tells, or what it was loaded from: an address or `{ hf }`.
 * @returns What was removed; nothing if there was no such model.
 * @throws {InferenceError} `unsupported` if this host has no store; or `signal.reason`
 */
export function removeModel(
  model: string | URL | Extract<ModelSource, { readonly hf: string }>,
  { store = usualStore(), signal }: { store?: ModelStore; signal?: AbortSignal } = {},
): Promise<KeptModel[]> {
  return removeKept(store, model, signal);
}
