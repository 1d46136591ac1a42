import type { ModelStore } from "../store/model-store.ts";
import { keyOf, noteKey, readNote, writeNote } from "./entry.ts";
import type { HttpOptions } from "./http.ts";
import type { HubFile, HubSource } from "./hub.ts";
import { resolveHub } from "./hub.ts";

/** The key of what the Hub answered for a source. */
function listingKey({ hf, file, quant, revision, hub }: HubSource): string {
  return noteKey("hub", JSON.stringify([hf, file ?? null, quant ?? null, revision ?? null, hub ?? null]));
}

function asFile(value: unknown): HubFile | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const address: unknown = Reflect.get(value, "address");
  const sha256: unknown = Reflect.get(value, "sha256");
  if (typeof address !== "string" || !URL.canParse(address)) return undefined;
  return { address, ...(typeof sha256 === "string" ? { sha256 } : {}) };
}

/** The files that the Hub named for a source when it was last asked; undefined if it was not, or the note is broken. */
async function keptListing(store: ModelStore, source: HubSource): Promise<HubFile[] | undefined> {
  const note = await readNote(store, listingKey(source));
  const listed: readonly unknown[] = Array.isArray(note?.["files"]) ? note["files"] : [];
  const files = listed.map(asFile).filter((file) => file !== undefined);
  return files.length > 0 && files.length === listed.length ? files : undefined;
}

/**
 * The files of a model on the Hub: as it told when they were fetched, if all of them are kept, so that loading needs no
 * network; else as it tells now.
 *
 * @throws {InferenceError} as {@link resolveHub}
 */
export async function resolveKept(
  source: HubSource,
  options: HttpOptions & { readonly store: ModelStore | undefined },
): Promise<HubFile[]> {
  const { store, signal } = options;
  if (!store) return resolveHub(source, options);
  const known = await keptListing(store, source);
  if (known) {
    const kept = await Promise.all(known.map(async ({ address }) => (await store.open(keyOf(address))) !== null));
    if (kept.every(Boolean)) return known;
  }
  const files = await resolveHub(source, options);
  const key = listingKey(source);
  const lock = await store.lock?.(key, signal);
  try {
    await writeNote(store, key, { version: 1, kind: "hub", hf: source.hf, files });
  } finally {
    await lock?.[Symbol.asyncDispose]();
  }
  return files;
}
