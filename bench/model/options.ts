import { parseArgs } from "node:util";

/** Something is wrong with what the user typed. */
export class UsageError extends Error {}

export interface Options<Name extends string> {
  readonly items: number;
  readonly only: readonly Name[];
  /** Path or URL; undefined: the bundled one. */
  readonly model: string | undefined;
  readonly write: boolean;
  readonly help: boolean;
}

export const help = `npm run bench:model -- [options]

Measures the bundled model through the SDK, greedily on one thread, and prints a table for each group of items. Every
item a cell takes about a minute and a half, most of it in long.

  --items <n>      items a cell at most, from the start of each task (default 20)
  --only <groups>  of short, follow-up, long and tools, with commas between (default all)
  --model <gguf>   path or URL of another model
  --write          put the tables into models/README.md; those of groups that were not run stay
  -h, --help       show this`;

/**
 * Reads the command line.
 *
 * @throws {UsageError}
 */
export function readOptions<Name extends string>(args: readonly string[], names: readonly Name[]): Options<Name> {
  const { items, only, model, write, help } = parse(args);
  const count = Number(items);
  if (!/^\d+$/.test(items) || count < 1 || !Number.isSafeInteger(count)) {
    throw new UsageError(`--items is ${JSON.stringify(items)}; it must be a whole number, at least 1`);
  }
  const wanted = only?.split(",").map((name) => name.trim());
  const unknown = (wanted ?? []).filter((name) => !names.some((known) => known === name));
  if (unknown.length > 0) {
    throw new UsageError(
      `No group is called ${unknown.map((name) => JSON.stringify(name)).join(", ")}; there are ${names.join(", ")}`,
    );
  }
  if (model === "") throw new UsageError("--model is empty; the path or URL of a GGUF file is wanted");
  return { items: count, only: names.filter((name) => wanted?.includes(name) ?? true), model, write, help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        items: { type: "string", default: "20" },
        only: { type: "string" },
        model: { type: "string" },
        write: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    // parseArgs says what is wrong with the command line in a TypeError, and throws nothing else.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
