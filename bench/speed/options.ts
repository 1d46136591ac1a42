import type { Recipe } from "../random-model.ts";
import type { SizeName } from "./models.ts";
import { namesOf, parseOptions, UsageError, wholeNumber } from "./parse.ts";
import { isBrowser, subjects } from "./subjects.ts";
import type { Subject } from "./subjects.ts";

export interface Options {
  readonly size: SizeName;
  readonly recipes: readonly Recipe[];
  readonly threads: readonly number[];
  readonly prompt: number;
  readonly reply: number;
  readonly rounds: number;
  readonly warm: number;
  readonly chosen: readonly Subject[];
  /** What the result files are called. */
  readonly name: string;
  readonly write: boolean;
  readonly help: boolean;
}

const sizes = ["21M", "222M"] as const satisfies SizeName[];
const recipes = ["Q4_0", "Q8_0", "Q4_K"] as const satisfies Recipe[];
const ids = subjects.map(({ id }) => id);

export const help = `npm run bench -- [options]

Measures how fast ruminate, wllama and native llama.cpp run the same models, which have random weights and are kept in
the user's cache folder. Every subject runs in a process of its own, again and again in turns, so that whatever else the
machine does meets all alike. Results go to bench/results/: numbers as JSON, a table, a chart.

  --quick            one round of one thread, a small model, few tokens
  --size <name>      weights of the models: ${sizes.join(" or ")} (default 222M; quick 21M)
  --models <names>   of ${recipes.join(", ")}, with commas between (default all); the output of Q4_K is Q6_K
  --threads <n,...>  (default 1,2; quick 1)
  --prompt <n>       tokens to evaluate (default 512; quick 128)
  --reply <n>        tokens to generate, at least 2 (default 128; quick 32)
  --rounds <n>       processes that each subject gets (default 3; quick 1)
  --warm <n>         runs of each process after its first (default 1)
  --subjects <ids>   with commas between; default all but those in browsers:
${ids.map((id) => `                       ${id}`).join("\n")}
  --browsers         those in browsers, too, which need Chromium, Firefox and "npm run build"
  --name <name>      of the result files (default speed; quick)
  --write            put the table into README.md
  -h, --help         show this`;

/**
 * Reads the command line.
 *
 * @throws {UsageError}
 */
export function readOptions(args: readonly string[]): Options {
  const values = parseOptions(args, {
    quick: { type: "boolean", default: false },
    size: { type: "string" },
    models: { type: "string", default: recipes.join(",") },
    threads: { type: "string" },
    prompt: { type: "string" },
    reply: { type: "string" },
    rounds: { type: "string" },
    warm: { type: "string", default: "1" },
    subjects: { type: "string" },
    browsers: { type: "boolean", default: false },
    name: { type: "string" },
    write: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  const { quick } = values;
  const [size] = namesOf("--size", values.size ?? (quick ? "21M" : "222M"), sizes);
  const name = values.name ?? (quick ? "quick" : "speed");
  if (!/^[\w.-]+$/.test(name)) throw new UsageError("--name is part of file names: letters, digits, dots and dashes");
  const common = subjects.filter((subject) => values.browsers || !isBrowser(subject)).map(({ id }) => id);
  const wanted = namesOf("--subjects", values.subjects ?? common.join(","), ids);
  return {
    size: size ?? "222M",
    recipes: namesOf("--models", values.models, recipes),
    threads: (values.threads ?? (quick ? "1" : "1,2")).split(",").map((text) => wholeNumber("--threads", text, 1)),
    prompt: wholeNumber("--prompt", values.prompt ?? (quick ? "128" : "512"), 1),
    reply: wholeNumber("--reply", values.reply ?? (quick ? "32" : "128"), 2),
    rounds: wholeNumber("--rounds", values.rounds ?? (quick ? "1" : "3"), 1),
    warm: wholeNumber("--warm", values.warm, 0),
    chosen: subjects.filter(({ id }) => wanted.includes(id)),
    name,
    write: values.write,
    help: values.help,
  };
}
