import { createSha256 } from "../platform/sha256.ts";
import type { ModelStore } from "../store/model-store.ts";
import type { Validators } from "./http-ranges.ts";
import { urlFileName, withoutSecrets } from "./http.ts";

/** What is written down about a file beside it, as JSON under its key and ".json". */
export interface Entry {
  readonly version: 1;
  /** Without user name and password. */
  readonly address: string;
  readonly name: string;
  /** Bytes; null while nobody has told. */
  readonly size: number | null;
  readonly validators: Validators;
  /** Of the whole file, once it is there: 64 hexadecimal digits. */
  readonly sha256?: string;
}

function shortHash(text: string): string {
  const hash = createSha256();
  hash.update(new TextEncoder().encode(text));
  return hash.hex().slice(0, 16);
}

const plain = (name: string): string => name.replaceAll(/[^\w.-]+/g, "_").replace(/\.+$/, "");

/** The key of what an address leads to: told apart by all of it but password and fragment, and readable. */
export function keyOf(address: string): string {
  const url = new URL(withoutSecrets(address));
  url.hash = "";
  return `${shortHash(url.href)}-${plain(urlFileName(url.href)).slice(-120)}`;
}

/** The key of a note that is no model's file. */
export function noteKey(kind: string, text: string): string {
  return `${shortHash(text)}-${kind}.json`;
}

export const entryKey = (key: string): string => `${key}.json`;

/** A JSON object that is kept under a key; undefined if there is none. */
export async function readNote(store: ModelStore, key: string): Promise<Record<string, unknown> | undefined> {
  const blob = await store.open(key);
  if (!blob || blob.size > 2 ** 20) return undefined;
  try {
    const value: unknown = JSON.parse(await blob.text());
    // An object is a record of what is not known yet.
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a JSON object, whole or not at all. */
export async function writeNote(store: ModelStore, key: string, value: object): Promise<void> {
  const writer = (await store.create(key, 0)).getWriter();
  await writer.write(new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
  await writer.close();
}

/** What was written down about a file; undefined if nothing is, or it makes no sense. */
export async function readEntry(store: ModelStore, key: string): Promise<Entry | undefined> {
  return asEntry(await readNote(store, entryKey(key)));
}

/** A note as that of a file, if it is one. */
export function asEntry(note: Record<string, unknown> | undefined): Entry | undefined {
  const { version, address, name, size, validators, sha256 } = note ?? {};
  if (version !== 1 || typeof address !== "string" || typeof name !== "string") return undefined;
  if (typeof validators !== "object" || validators === null) return undefined;
  const told = (field: string): string | null => {
    const value: unknown = Reflect.get(validators, field);
    return typeof value === "string" ? value : null;
  };
  return {
    version,
    address,
    name,
    size: typeof size === "number" ? size : null,
    validators: { etag: told("etag"), modified: told("modified") },
    ...(typeof sha256 === "string" ? { sha256 } : {}),
  };
}
