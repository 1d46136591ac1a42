// Measures the bundled model through the SDK and writes the scores into its card.
// node bench/model.ts [--items 20] [--only short,follow-up,long,tools] [--model path] [--write]
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { InferenceError, loadModel, type Message, type Model, type Tool } from "../src/index.ts";

interface Item {
  readonly task: string;
  readonly question: string;
  readonly answer: string;
  readonly length?: number;
  readonly context?: string;
  readonly turns?: readonly { readonly question: string; readonly thought: string; readonly answer: string }[];
  readonly tools?: readonly Tool[];
  readonly calls?: readonly (readonly [string, unknown, string])[];
}
/** Right answers out of how many, by task and by what was tried. */
type Scores = Map<string, Map<string, { right: number; of: number }>>;

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "20" },
    only: { type: "string", default: "short,follow-up,long" },
    model: { type: "string" },
    write: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log("npm run bench:model -- [--items 20] [--only short,follow-up,long] [--model path] [--write]");
  process.exit(0);
}

const count = Number(values.items);
const root = new URL("..", import.meta.url);

/** The first so many items of each task; the files hold held-out items in random order. */
function items(name: string): Item[] {
  const lines = readFileSync(new URL(`bench/model/items/${name}.jsonl`, root), "utf8")
    .trim()
    .split("\n");
  const seen = new Map<string, number>();
  return lines
    .map((line) => JSON.parse(line) as Item)
    .filter(({ task, length }) => {
      const key = `${task} ${length ?? ""}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return (seen.get(key) ?? 0) <= count;
    });
}

function note(scores: Scores, { task, way, right }: { task: string; way: string; right: boolean }): void {
  const row = scores.get(task) ?? new Map<string, { right: number; of: number }>();
  const cell = row.get(way) ?? { right: 0, of: 0 };
  row.set(way, { right: cell.right + Number(right), of: cell.of + 1 });
  scores.set(task, row);
}

const user = (content: string): Message => ({ role: "user", content });

async function short(model: Model, scores: Scores): Promise<void> {
  for (const { task, question, answer } of items("short")) {
    for (const [way, reasoning] of [
      ["forced thinking", "force"],
      ["no thinking", "off"],
    ] as const) {
      const { text } = await model.chat([user(question)], { reasoning, maxTokens: 240 }).result();
      note(scores, { task, way, right: text.trim() === answer });
    }
  }
}

/** The turns before the last are given, so that each item asks one thing. */
async function followUp(model: Model, scores: Scores): Promise<void> {
  for (const { task, turns = [] } of items("follow-up")) {
    const last = turns.at(-1);
    if (!last) continue;
    const history = turns
      .slice(0, -1)
      .flatMap(({ question, thought, answer }): Message[] => [
        user(question),
        { role: "assistant", content: answer, reasoning: thought },
      ]);
    for (const [way, keepReasoning] of [
      ["history pruned", "none"],
      ["thoughts kept", "all"],
    ] as const) {
      const reply = model.chat([...history, user(last.question)], { keepReasoning, maxTokens: 240 });
      note(scores, { task, way, right: (await reply.result()).text.trim() === last.answer });
    }
  }
}

/** Past the trained 512 tokens: with YaRN as the SDK does it by itself, and with a larger context alone. */
async function long(source: string | undefined, scores: Scores): Promise<void> {
  const wanted = items("long").filter(({ task }) => task === "retrieval");
  for (const [way, extend] of [
    ["YaRN when needed", "auto"],
    ["without YaRN", "off"],
  ] as const) {
    await using model = await loadModel(source, { threads: 1, context: { extend } });
    for (const { task, length = 0, context = "", question, answer } of wanted) {
      let right = false;
      try {
        right = (await model.chat([user(`${context} ${question}`)], { maxTokens: 40 }).result()).text.trim() === answer;
      } catch (error) {
        // Without YaRN the context ends where the training did: a refusal is an answer not given.
        if (!InferenceError.is(error, "context-full")) throw error;
      }
      note(scores, { task: `${task}, ${length} tokens`, way, right });
    }
  }
}

function table(scores: Scores): string {
  const ways = [...new Set([...scores.values()].flatMap((row) => [...row.keys()]))];
  const cell = (row: ReadonlyMap<string, { right: number; of: number }>, way: string): string => {
    const { right, of } = row.get(way) ?? { right: 0, of: 0 };
    return of === 0 ? "" : `${((100 * right) / of).toFixed(1)} % (${right}/${of})`;
  };
  const lines = [...scores].map(([task, row]) => `| ${task} | ${ways.map((way) => cell(row, way)).join(" | ")} |`);
  return [`| task | ${ways.join(" | ")} |`, `|---|${ways.map(() => "---|").join("")}`, ...lines].join("\n");
}

const groups: Readonly<Record<string, (model: Model, scores: Scores) => Promise<void>>> = {
  short,
  "follow-up": followUp,
  long: (_, scores) => long(values.model, scores),
};

const tables: string[] = [];
await using model = await loadModel(values.model, { threads: 1 });
for (const name of values.only.split(",")) {
  const run = groups[name];
  if (!run) throw new RangeError(`There is no group ${name}; there are ${Object.keys(groups).join(", ")}`);
  const scores: Scores = new Map();
  await run(model, scores);
  tables.push(table(scores));
  console.log(`${tables.at(-1)}\n`);
}
if (values.write) {
  const card = new URL("models/README.md", root);
  const text = readFileSync(card, "utf8");
  const part = `<!-- bench:model -->\n\nGreedy, at most ${count} held-out items a cell, \`npm run bench:model\`, engine ${model.info.engine}.\n\n${tables.join("\n\n")}\n\n<!-- /bench:model -->`;
  const marked = /<!-- bench:model -->[^]*<!-- \/bench:model -->/;
  writeFileSync(card, marked.test(text) ? text.replace(marked, () => part) : `${text}\n${part}\n`);
}
