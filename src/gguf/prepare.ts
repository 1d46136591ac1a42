import { InferenceError } from "../errors.ts";
import type { Integrity } from "../platform/integrity.ts";
import { parseIntegrity } from "../platform/integrity.ts";
import type { SourceFile } from "./download.ts";
import type { OpenSpool } from "./spool.ts";
import { openSpool as defaultSpool } from "./spool.ts";
import type { WeightFile } from "./weight-file.ts";

/** How far the fetching is. Bytes over all files of the model; `total` is absent while a server has not told. */
export interface FetchProgress {
  /** "verify": files that are here already are read and compared with their digests, each on its own. */
  readonly phase: "fetch" | "verify";
  readonly loaded: number;
  readonly total?: number;
  /** Name of the file that is coming in. */
  readonly file: string;
}

export interface PrepareOptions {
  signal?: AbortSignal;
  /** Told at the start, about once a MiB, and at the end; not told of files that are here already. */
  onprogress?: (event: FetchProgress) => void;
  /** SHA-256 of the one file, or of each by its name; default: what its server says, if it does. */
  integrity?: string | Readonly<Record<string, string>> | undefined;
  /** Where downloads go that no store keeps; default: a nameless temporary file in Node, Deno and Bun, a Blob elsewhere. */
  openSpool?: OpenSpool;
}

const progressStep = 2 ** 20;
/** Files that come in at the same time. */
const atOnce = 3;

/**
 * What each file has to be: as the caller says, else as its own server.
 *
 * @throws {TypeError} if a digest is none, or a file has none though others do
 * @throws {InferenceError} `unsupported` if it is not a SHA-256, which alone is computed as bytes come
 */
export function wantedDigests(
  files: readonly SourceFile[],
  integrity: string | Readonly<Record<string, string>> | undefined,
): (Integrity | undefined)[] {
  if (integrity === undefined) return files.map(({ told }) => told);
  if (typeof integrity === "string" && files.length > 1) {
    const names = files.map(({ name }) => name).join(", ");
    throw new TypeError(
      `integrity is one digest for ${files.length} files; an object is wanted, by their names: ${names}`,
    );
  }
  return files.map(({ name }) => {
    const text =
      typeof integrity === "string" ? integrity : Object.hasOwn(integrity, name) ? integrity[name] : undefined;
    if (text === undefined) throw new TypeError(`integrity has no digest for ${name}; each file wants one`);
    const wanted = parseIntegrity(text, `integrity of ${name}`);
    if (wanted.algorithm === "sha256") return wanted;
    throw new InferenceError(
      "unsupported",
      `Cannot check the ${wanted.algorithm} of ${name}: models are checked by SHA-256 only; give a sha256 digest`,
    );
  });
}

function totalSize(files: readonly SourceFile[]): number | undefined {
  return files.reduce<number | undefined>(
    (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
}

/** Counts bytes over all files, and tells of them about once a MiB. */
class Progress {
  readonly #files: readonly SourceFile[];
  readonly #tell: ((event: FetchProgress) => void) | undefined;
  readonly #loaded = new Map<SourceFile, number>();
  #told = -progressStep;

  constructor(files: readonly SourceFile[], tell: ((event: FetchProgress) => void) | undefined) {
    this.#files = files;
    this.#tell = tell;
  }

  /** Files that are here already count as loaded, so that loaded and total mean the same bytes. */
  set(file: SourceFile, bytes: number): void {
    this.#loaded.set(file, bytes);
  }

  fetched(file: SourceFile, force: boolean): void {
    const loaded = [...this.#loaded.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (Math.abs(loaded - this.#told) < progressStep && (!force || loaded === this.#told)) return;
    this.#told = loaded;
    const total = totalSize(this.#files);
    this.#tell?.({ phase: "fetch", loaded, ...(total === undefined ? {} : { total }), file: file.name });
  }

  verified(file: SourceFile, loaded: number, total: number): void {
    this.#tell?.({ phase: "verify", loaded, total, file: file.name });
  }
}

/** Brings all files, some at a time. The first that fails stops the others, which keep what they have. */
export async function prepareAll(files: readonly SourceFile[], options: PrepareOptions): Promise<WeightFile[]> {
  const { signal, onprogress, openSpool = defaultSpool } = options;
  const digests = wantedDigests(files, options.integrity);
  const progress = new Progress(files, onprogress);
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  for (const file of files) progress.set(file, (file.isPresent ? file.size : file.here) ?? 0);
  const ready: WeightFile[] = [];
  let next = 0;
  const bring = async (): Promise<void> => {
    for (let index = next++; index < files.length; index = next++) {
      const file = files[index];
      if (!file) continue;
      const isFetched = !file.isPresent;
      if (isFetched) progress.fetched(file, true);
      ready[index] = await file.prepare({
        signal: either,
        openSpool,
        integrity: digests[index],
        onbytes(bytes) {
          progress.set(file, bytes);
          progress.fetched(file, false);
        },
        onverify: (bytes, total) => progress.verified(file, bytes, total),
      });
      if (isFetched) progress.fetched(file, true);
    }
  };
  const workers = Array.from({ length: atOnce }, async () => {
    try {
      await bring();
    } catch (error) {
      failed.abort(error);
    }
  });
  await Promise.all(workers);
  // The first failure is the reason; a caller's own comes first.
  either.throwIfAborted();
  return ready;
}
