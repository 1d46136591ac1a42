import { readFileSync } from "node:fs";
import type { ToolDefinition } from "../../src/index.ts";

interface Question {
  readonly question: string;
  readonly answer: string;
}

/** What a line of each file holds; `README.md` here describes them. */
export interface Items {
  readonly short: Question & { readonly task: string };
  readonly "follow-up": {
    readonly task: string;
    readonly turns: readonly (Question & { readonly thought: string })[];
  };
  readonly long: Question & { readonly task: string; readonly length: number; readonly context: string };
  readonly tools: Question & {
    readonly task: string;
    readonly system?: string;
    readonly tools: readonly ToolDefinition[];
    /** Name, arguments, result. */
    readonly calls: readonly (readonly [string, unknown, string])[];
  };
}

/** The first so many items of each task and length; within these the files are in random order. */
export function readItems<Name extends keyof Items>(name: Name, count: number): Items[Name][] {
  const seen = new Map<string, number>();
  return readFileSync(new URL(`items/${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Items[Name])
    .filter((item) => {
      const key = "length" in item ? `${item.task} ${item.length}` : item.task;
      const before = seen.get(key) ?? 0;
      seen.set(key, before + 1);
      return before < count;
    });
}
