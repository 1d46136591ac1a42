import type { ModelStore } from "../store/model-store.ts";
import type { Entry } from "./entry.ts";
import { asEntry, entryKey, keyOf, readNote } from "./entry.ts";
import type { HubSource } from "./hub.ts";
import { hasQuant } from "./hub.ts";
import { parseShardName } from "./shards.ts";

/** A model that a store keeps, all of it or a part. */
export interface KeptModel {
  /** File name; of a split model, without the number. */
  readonly name: string;
  /** Where it came from, each file. */
  readonly addresses: readonly string[];
  /** Bytes that are here. */
  readonly sizeBytes: number;
  /** Bytes that all of it has; absent while unknown. */
  readonly totalBytes?: number;
  /** Nothing is left to fetch. */
  readonly isWhole: boolean;
}

interface KeptFile {
  readonly key: string;
  readonly entry: Entry;
  readonly size: number;
  readonly isWhole: boolean;
}

async function keptFiles(store: ModelStore): Promise<KeptFile[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) if (key.endsWith(".json")) keys.push(key);
  const files: KeptFile[] = [];
  for (const note of keys.toSorted()) {
    const entry = asEntry(await readNote(store, note));
    if (!entry) continue;
    const key = note.slice(0, -".json".length);
    const whole = await store.open(key);
    const part = whole ?? (await store.partial?.(key));
    files.push({ key, entry, size: part?.size ?? 0, isWhole: whole !== null });
  }
  return files;
}

/** Files of one model, by what their addresses have in common. */
function grouped(files: readonly KeptFile[]): KeptFile[][] {
  const groups = new Map<string, KeptFile[]>();
  for (const file of files) {
    const url = new URL(file.entry.address);
    const shard = parseShardName(url.pathname);
    if (shard) url.pathname = `${shard.prefix}-of-${shard.count}`;
    groups.set(url.href, [...(groups.get(url.href) ?? []), file]);
  }
  return [...groups.values()];
}

function modelOf(files: readonly KeptFile[]): KeptModel {
  const name = files[0]?.entry.name ?? "";
  const shard = parseShardName(name);
  const isComplete = files.length === (shard?.count ?? 1);
  const sizes = files.map(({ entry, isWhole, size }) => (isWhole ? size : entry.size));
  const total = sizes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0);
  return {
    name: shard ? `${shard.prefix}.gguf` : name,
    addresses: files.map(({ entry }) => entry.address).toSorted(),
    sizeBytes: files.reduce((sum, { size }) => sum + size, 0),
    ...(total !== null && isComplete ? { totalBytes: total } : {}),
    isWhole: isComplete && files.every(({ isWhole }) => isWhole),
  };
}

/** Every model of a store, by name. */
export async function listKept(store: ModelStore): Promise<KeptModel[]> {
  const models = grouped(await keptFiles(store)).map(modelOf);
  return models.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function matches(files: readonly KeptFile[], wanted: string | URL | HubSource): boolean {
  if (typeof wanted === "object" && "hf" in wanted) {
    const { hf, file, quant } = wanted;
    return files.some(({ entry: { address, name } }) => {
      const path = decodeURIComponent(new URL(address).pathname);
      const isNamed = file === undefined || path.endsWith(`/${file}`);
      return path.includes(`/${hf}/resolve/`) && isNamed && (quant === undefined || hasQuant(name, quant));
    });
  }
  const text = String(wanted);
  if (!/^https?:/i.test(text)) return modelOf(files).name === text || files.some(({ entry }) => entry.name === text);
  const key = keyOf(text);
  return files.some((file) => file.key === key);
}

/**
 * Removes what fits, whole or not, once nobody fetches it any more.
 *
 * @returns What was there.
 */
export async function removeKept(
  store: ModelStore,
  wanted: string | URL | HubSource,
  signal?: AbortSignal,
): Promise<KeptModel[]> {
  const found = grouped(await keptFiles(store)).filter((files) => matches(files, wanted));
  for (const { key } of found.flat()) {
    const lock = await store.lock?.(key, signal);
    try {
      await store.delete(key);
      await store.delete(entryKey(key));
    } finally {
      await lock?.[Symbol.asyncDispose]();
    }
  }
  return found.map(modelOf);
}
