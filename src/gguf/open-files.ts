import { InferenceError } from "../errors.ts";
import type { ModelStore } from "../store/model-store.ts";
import type { Integrity } from "../platform/integrity.ts";
import { hasFileSystem, openLocalFile } from "../platform/files.ts";
import type { SourceFile } from "./download.ts";
import { DownloadFile, presentFile } from "./download.ts";
import { fetchOk, requestTransfer, responseTransfer } from "./http.ts";
import { urlTransfer } from "./http-transfer.ts";
import type { HubFile, HubSource } from "./hub.ts";
import { resolveKept } from "./kept-listing.ts";
import { toldDigest } from "./linked-digest.ts";
import { blobFile, bytesFile } from "./memory-file.ts";
import type { Patience } from "../patience.ts";
import { parseShardName, siblingNames } from "./shards.ts";
import { openStored } from "./stored-file.ts";
import { streamTransfer } from "./transfer.ts";

/** What opening one source needs; `alone`: it may stand for the shards that its name implies. */
interface Opening {
  readonly signal: AbortSignal | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly alone: boolean;
  /** Where what http brings is kept. */
  readonly store: ModelStore | undefined;
  readonly patience: Patience | undefined;
  /** Asks for no ranges. */
  readonly plain: boolean;
}

// By tag, so that values of another realm or a polyfill count too.
const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

const unknownAddress = (address: string): TypeError =>
  new TypeError(`Cannot open ${address}: http, https, file, blob and data addresses are known`);

/** The address that a string stands for, or undefined if it is a path. */
function addressOf(source: string): URL | undefined {
  if (/^(?:https?|file|blob|data):/i.test(source)) return new URL(source);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) throw unknownAddress(source);
  if (hasFileSystem()) return undefined;
  const base: unknown = Reflect.get(globalThis, "location");
  return new URL(source, base === undefined || base === null ? undefined : String(base));
}

/** Opens one after another, and closes those that are open when one fails. */
async function openEach<T>(
  items: readonly T[],
  open: (item: T) => Promise<readonly SourceFile[]>,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  try {
    for (const item of items) files.push(...(await open(item)));
    return files;
  } catch (error) {
    await Promise.all(files.map((file) => file.close(error)));
    throw error;
  }
}

/** Opens what a name stands for: itself, or all shards of its model. */
async function openShards(
  names: readonly string[],
  open: (name: string) => Promise<SourceFile>,
): Promise<SourceFile[]> {
  return openEach(names, async (name) => {
    try {
      return [await open(name)];
    } catch (cause) {
      const shard = names.length > 1 ? parseShardName(name) : undefined;
      if (!shard || !InferenceError.is(cause)) throw cause;
      const message = `Cannot open shard ${shard.number} of ${shard.count} of a split model. ${cause.message}`;
      throw new InferenceError(cause.code, message, { cause, ...(cause.details ? { details: cause.details } : {}) });
    }
  });
}

function openAddresses(files: readonly HubFile[], opening: Opening): Promise<SourceFile[]> {
  const digests = new Map(files.map(({ address, sha256 }) => [address, sha256]));
  return openShards([...digests.keys()], async (address) => {
    const sha256 = digests.get(address);
    const told: Integrity | undefined = sha256 === undefined ? undefined : { algorithm: "sha256", digests: [sha256] };
    const { store } = opening;
    if (store) return openStored(address, { ...opening, store, told });
    const transfer = await urlTransfer(address, opening);
    return new DownloadFile(transfer, told ?? (await toldDigest(address, transfer, opening)));
  });
}

async function openUrl(url: URL, opening: Opening): Promise<SourceFile[]> {
  const siblings = (name: string): string[] => (opening.alone ? siblingNames(name) : [name]);
  switch (url.protocol) {
    case "file:":
      if (!hasFileSystem()) {
        throw new InferenceError(
          "unsupported",
          `Cannot open ${url.href}: pages may not read files by path; let the user pick a File`,
        );
      }
      return openShards(siblings(url.href), async (href) => presentFile(await openLocalFile(new URL(href))));
    case "blob:":
    case "data:":
      return [
        new DownloadFile(responseTransfer(await fetchOk(url.href, opening), { address: "", signal: opening.signal })),
      ];
    case "http:":
    case "https:":
      return openAddresses(
        siblings(url.pathname).map((pathname) => ({ address: Object.assign(new URL(url), { pathname }).href })),
        opening,
      );
    default:
      throw unknownAddress(url.href);
  }
}

// The tag says what a value is; TypeScript cannot follow it, hence the casts below.
async function openTagged(source: object, tag: string, opening: Opening): Promise<SourceFile[] | undefined> {
  switch (tag) {
    case "URL":
      return openUrl(new URL(String(source)), opening);
    case "File":
      return [presentFile(blobFile((source as File).name, source as File))];
    case "Blob":
      return [presentFile(blobFile("model.gguf", source as Blob))];
    case "FileSystemFileHandle": {
      const file = await (source as FileSystemFileHandle).getFile();
      return [presentFile(blobFile(file.name, file))];
    }
    case "Request":
      return [new DownloadFile(await requestTransfer(source as Request, opening))];
    case "Response":
      return [
        new DownloadFile(
          responseTransfer(source as Response, { address: (source as Response).url, signal: opening.signal }),
        ),
      ];
    case "ReadableStream": {
      const about = { name: "model.gguf", size: undefined, label: "the stream", details: {}, signal: opening.signal };
      return [new DownloadFile(streamTransfer(source as ReadableStream<Uint8Array<ArrayBuffer>>, about))];
    }
    case "ArrayBuffer":
    case "SharedArrayBuffer":
      return [presentFile(bytesFile("model.gguf", source as ArrayBuffer))];
    default:
      return ArrayBuffer.isView(source)
        ? [presentFile(bytesFile("model.gguf", source as ArrayBufferView<ArrayBuffer>))]
        : undefined;
  }
}

const isHubSource = (value: object): value is HubSource => "hf" in value && typeof value.hf === "string";

async function openOne(source: unknown, opening: Opening): Promise<SourceFile[]> {
  opening.signal?.throwIfAborted();
  if (typeof source === "string" && source !== "") {
    const address = addressOf(source);
    if (address) return openUrl(address, opening);
    return openShards(opening.alone ? siblingNames(source) : [source], async (path) =>
      presentFile(await openLocalFile(path)),
    );
  }
  if (Array.isArray(source)) {
    if (source.length === 0) throw new TypeError("The source is an empty array; the shards of a model are wanted");
    return openEach(source, (item: unknown) =>
      openOne(item, { ...opening, alone: opening.alone && source.length === 1 }),
    );
  }
  if (typeof source === "object" && source !== null) {
    const files = await openTagged(source, tagOf(source), opening);
    if (files) return files;
    if (isHubSource(source)) return openAddresses(await resolveKept(source, opening), opening);
  }
  const seen = source === "" ? "an empty string" : source === null ? "null" : `a value of type ${typeof source}`;
  throw new TypeError(
    `The source is ${seen}; a path, an address, a Request, a Response, a Blob, bytes, a stream, a file handle or { hf } is wanted`,
  );
}

/**
 * Opens every file that a source stands for.
 *
 * @param source A `ModelSource`, not yet looked at: callers without types pass anything.
 * @throws {TypeError} if it is of no known kind
 * @throws {InferenceError} `network`, `unsupported`, `format`; or `signal.reason`
 */
export function openFiles(source: unknown, options: Omit<Opening, "alone">): Promise<SourceFile[]> {
  return openOne(source, { ...options, alone: true });
}
