import type { ModelStore } from "../store/model-store.ts";
import type { HeaderSource } from "./byte-cursor.ts";
import type { SourceFile } from "./download.ts";
import { openFiles } from "./open-files.ts";
import type { Patience } from "../patience.ts";
import type { PrepareOptions } from "./prepare.ts";
import { prepareAll } from "./prepare.ts";
import { parseShardName } from "./shards.ts";
import type { WeightFile } from "./weight-file.ts";

export type { FetchProgress, PrepareOptions } from "./prepare.ts";

/**
 * Where weights come from. A string is a path or an address (in browsers: an address, relative to the page). A path or
 * address of one shard (`x-00001-of-00003.gguf`) stands for all of them; an array lists the shards, in any order.
 */
export type ModelSource =
  | string
  | URL
  | Request
  | Response
  | Blob
  | BufferSource
  | ReadableStream<Uint8Array<ArrayBuffer>>
  | FileSystemFileHandle
  | {
      /** A repository of the Hugging Face Hub, as "owner/repo". */
      readonly hf: string;
      /** Path of the file in it, or its name; of a split model, any shard's. */
      readonly file?: string;
      /** In place of `file`, such as "Q4_K_M"; default: the best balance of size and quality that there is. */
      readonly quant?: string;
      /** A branch, tag or commit; default "main". */
      readonly revision?: string;
    }
  | readonly ModelSource[];

export interface OpenOptions {
  signal?: AbortSignal;
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch;
  /** Where what comes by http is kept, and looked for first. */
  store?: ModelStore | undefined;
  patience?: Patience;
  /** Asks for no ranges, for servers that lie about them; default: false. */
  plain?: boolean;
}

/** A model's files, opened as far as their headers need: its weights are not fetched yet. */
export interface OpenedSource {
  /** For `readModelHeader`. In order, where the names tell it. */
  readonly files: readonly HeaderSource[];
  /**
   * Brings what is missing, once, up to three files at a time. Call it once, after the header was found good.
   *
   * @returns The files, in the order of `files`.
   * @throws {InferenceError} `network`, `integrity`, `memory` (disk full), `unsupported` (no place to keep it); or `signal.reason`
   */
  prepare(options?: PrepareOptions): Promise<readonly WeightFile[]>;
  /** Stops the fetching and closes every file, those that `prepare` gave too. Idempotent. */
  close(): Promise<void>;
}

/** Orders shards by their names, where every name tells; else leaves them as they came. */
function inOrder(files: SourceFile[]): SourceFile[] {
  const numbers = new Map(files.map((file) => [file, parseShardName(file.name)?.number]));
  if (files.some((file) => numbers.get(file) === undefined)) return files;
  return files.toSorted((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
}

/**
 * Opens a model's files far enough to read their headers. Nothing of an http(s) source's weights is fetched until
 * `prepare`: where the server answers ranges, only its first MiB (and what more the header takes) is asked for;
 * where it does not, its one response waits.
 *
 * @example
 * ```ts
 * const opened = await openSource("https://example.org/model.gguf", { signal });
 * try {
 *   const header = await readModelHeader(opened.files, { signal });
 *   checkFits(estimateMemory(header, { contextSize: 8192 }), limit, header.label);
 *   const weights = arrangeWeights(header, await opened.prepare({ signal, onprogress }));
 * } catch (error) {
 *   await opened.close();
 *   throw error;
 * }
 * ```
 * @throws {TypeError} if the source is of no known kind
 * @throws {InferenceError} `network`, `unsupported`, `format` (the Hub has no such file); or `signal.reason`
 */
export async function openSource(source: ModelSource, options: OpenOptions = {}): Promise<OpenedSource> {
  const { signal, fetch = (...request) => globalThis.fetch(...request) } = options;
  const { store, patience, plain = false } = options;
  const files = inOrder(await openFiles(source, { signal, fetch, store, patience, plain }));
  let preparing: Promise<readonly WeightFile[]> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all(files.map((file) => file.close()));
  };
  return {
    files,
    prepare(prepareOptions = {}) {
      preparing ??= prepareAll(files, prepareOptions);
      return preparing;
    },
    close,
  };
}
