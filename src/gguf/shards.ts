/** What the name of one shard of a split GGUF says: `PREFIX-00002-of-00003.gguf`. */
export interface ShardName {
  readonly prefix: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
}

const pattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/is;

/** Reads a shard's name or path; undefined if it is not one of a split GGUF. */
export function parseShardName(name: string): ShardName | undefined {
  const [, prefix = "", number = "", count = ""] = pattern.exec(name) ?? [];
  const shard = { prefix, number: Number(number), count: Number(count) };
  return shard.number >= 1 && shard.number <= shard.count ? shard : undefined;
}

/** The names (or paths) of all shards that belong with this one, in order; the name alone if it is not a shard. */
export function siblingNames(name: string): string[] {
  const shard = parseShardName(name);
  if (!shard) return [name];
  const total = String(shard.count).padStart(5, "0");
  return Array.from({ length: shard.count }, (_, index) => {
    return `${shard.prefix}-${String(index + 1).padStart(5, "0")}-of-${total}.gguf`;
  });
}
