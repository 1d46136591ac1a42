import type { HeaderSource } from "./byte-cursor.ts";
import type { SourceFile } from "./download.ts";
import { openFiles } from "./open-files.ts";
import { parseShardName } from "./shards.ts";
import type { OpenSpool } from "./spool.ts";
import { openSpool as defaultSpool } from "./spool.ts";
import type { WeightFile } from "./weight-file.ts";

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
  | { readonly hf: string; readonly file?: string; readonly quant?: string; readonly revision?: string }
  | readonly ModelSource[];

/** How far the fetching is. Bytes over all files of the model; `total` is absent while a server has not told. */
export interface FetchProgress {
  readonly phase: "fetch";
  readonly loaded: number;
  readonly total?: number;
  /** Name of the file that is coming in. */
  readonly file: string;
}

export interface OpenOptions {
  signal?: AbortSignal;
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch;
}

export interface PrepareOptions {
  signal?: AbortSignal;
  /** Told at the start, about once a MiB, and at the end; not told of files that are here already. */
  onprogress?: (event: FetchProgress) => void;
  /** Where downloads go; default: a nameless temporary file in Node, Deno and Bun, a Blob elsewhere. */
  openSpool?: OpenSpool;
}

/** A model's files, opened as far as their headers need: its weights are not fetched yet. */
export interface OpenedSource {
  /** For `readModelHeader`. In order, where the names tell it. */
  readonly files: readonly HeaderSource[];
  /**
   * Brings what is missing, once, file after file. Call it once, after the header was found good.
   *
   * @returns The files, in the order of `files`.
   * @throws {InferenceError} `network`, `memory` (disk full), `unsupported` (no place to keep it); or `signal.reason`
   */
  prepare(options?: PrepareOptions): Promise<readonly WeightFile[]>;
  /** Stops the fetching and closes every file, those that `prepare` gave too. Idempotent. */
  close(): Promise<void>;
}

const progressStep = 2 ** 20;

/** Orders shards by their names, where every name tells; else leaves them as they came. */
function inOrder(files: SourceFile[]): SourceFile[] {
  const numbers = new Map(files.map((file) => [file, parseShardName(file.name)?.number]));
  if (files.some((file) => numbers.get(file) === undefined)) return files;
  return files.toSorted((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
}

function totalSize(files: readonly SourceFile[]): number | undefined {
  return files.reduce<number | undefined>(
    (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
}

async function prepareAll(files: readonly SourceFile[], options: PrepareOptions): Promise<WeightFile[]> {
  const { signal, onprogress, openSpool = defaultSpool } = options;
  const ready: WeightFile[] = [];
  // Files that are here already count as loaded, so that loaded and total mean the same bytes.
  let loaded = 0;
  let told = -progressStep;
  const tell = (file: SourceFile, force: boolean): void => {
    if (loaded - told < progressStep && (!force || loaded === told)) return;
    told = loaded;
    const total = totalSize(files);
    onprogress?.({ phase: "fetch", loaded, ...(total === undefined ? {} : { total }), file: file.name });
  };
  for (const file of files) {
    if (file.isPresent) {
      ready.push(await file.prepare({ signal, openSpool, onbytes: () => {} }));
      loaded += file.size ?? 0;
      continue;
    }
    const onbytes = (bytes: number): void => {
      loaded += bytes;
      tell(file, false);
    };
    tell(file, true);
    ready.push(await file.prepare({ signal, openSpool, onbytes }));
    tell(file, true);
  }
  return ready;
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
  const files = inOrder(await openFiles(source, { signal, fetch }));
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
