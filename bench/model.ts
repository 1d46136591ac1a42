// Measures the bundled model through the SDK and writes the scores into its card: node bench/model.ts --help
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceError, inspectModel, loadModel } from "../src/index.ts";
import { writeCard } from "./model/card.ts";
import { followUp } from "./model/follow-up.ts";
import type { Bench, Group } from "./model/group.ts";
import { long } from "./model/long.ts";
import { help, readOptions, UsageError } from "./model/options.ts";
import { short } from "./model/short.ts";
import { tools } from "./model/tools.ts";

const groups = { short, "follow-up": followUp, long, tools } satisfies Record<string, Group>;
const names = ["short", "follow-up", "long", "tools"] as const;
const bundled = new URL("../models/ruminate-nano-q8_0.gguf", import.meta.url);

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args, names);
  if (options.help) {
    console.log(help);
    return;
  }
  const source = options.model ?? fileURLToPath(bundled);
  await check(source);
  let engine = "";
  const bench: Bench = {
    count: options.items,
    async load(context) {
      const model = await loadModel(source, { threads: 1, context });
      ({ engine } = model.info);
      return model;
    },
  };
  const parts = new Map<string, string>();
  for (const name of options.only) {
    const { title, about, rows, run } = groups[name];
    const startedAt = performance.now();
    process.stderr.write(`${name} … `);
    const table = (await run(bench)).table(rows);
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
    console.log(`${title}\n\n${table}\n`);
    const made = `\`${basename(source)}\`, engine ${engine}, greedy, at most ${options.items} held-out items a cell.`;
    parts.set(title, `${about}\n\n${table}\n\n${made}`);
  }
  const titles = names.map((name) => groups[name].title);
  if (options.write) writeCard(parts, titles);
}

/** So that a wrong `--model` is told before anything runs. */
async function check(source: string): Promise<void> {
  try {
    await inspectModel(source);
  } catch (error) {
    if (InferenceError.is(error)) throw new UsageError(error.message);
    throw error;
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\nWhat there is: npm run bench:model -- --help`);
  process.exitCode = 2;
}
