// Whether a model of GLM-Z1-9B's size runs, how fast, and in how much memory: node bench/nine-b.ts --help
import { availableParallelism, totalmem } from "node:os";
import type { Recipe } from "./random-model.ts";
import { contextSize } from "./speed/contract.ts";
import { interruptible } from "./speed/interruptible.ts";
import { describeMachine, machineLine } from "./speed/machine.ts";
import { ensureModel, gigabytes, Obstacle, shapes } from "./speed/models.ts";
import { writeResults } from "./speed/output.ts";
import { namesOf, parseOptions, wholeNumber } from "./speed/parse.ts";
import { runSubject, sentence } from "./speed/run-subject.ts";
import type { Measurement } from "./speed/run-subject.ts";
import { missingBuild, subjects as known } from "./speed/subjects.ts";
import type { Subject } from "./speed/subjects.ts";
import { openWorkshop } from "./speed/workshop.ts";

const recipes = ["Q4_0", "Q4_K_M"] as const satisfies Recipe[];
/** Nothing but 64-bit memory holds this model. */
const subjects: readonly Subject[] = known
  .filter(({ id }) => ["ours-node", "ours-deno", "native-best"].includes(id))
  .map((subject) =>
    subject.family === "ours" ? { ...subject, load: { engine: "llama", memory: "wasm64" } } : subject,
  );
const ids = subjects.map(({ id }) => id);
const progress = (line: string): void => void process.stderr.write(`${line}\n`);

const help = `npm run bench:9b -- [options]

Makes a model of GLM-Z1-9B's shape with random weights in the user's cache folder, where it stays, runs it in Node and in
Deno, and with native llama.cpp beside them. Tells the time to load, tokens a second, and the most memory that a process
had, which is to be at most 1.1 times the file, the KV cache and 300 MB together. Ends with 1 if ours took more or failed.

  --model <name>     ${recipes.join(" or ")}, as llama.cpp quantizes them: 5.3 and 6.2 GB (default Q4_0)
  --threads <n>      (default: all cores, at most 8)
  --prompt <n>       tokens to evaluate (default 32)
  --reply <n>        tokens to generate, at least 2 (default 8)
  --subjects <ids>   of ${ids.join(", ")}, with commas between (default all)
  -h, --help         show this`;

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const values = parseOptions(args, {
    model: { type: "string", default: "Q4_0" },
    threads: { type: "string", default: String(Math.min(availableParallelism(), 8)) },
    prompt: { type: "string", default: "32" },
    reply: { type: "string", default: "8" },
    subjects: { type: "string", default: ids.join(",") },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const [recipe = "Q4_0"] = namesOf("--model", values.model, recipes);
  const threads = wholeNumber("--threads", values.threads, 1);
  const prompt = wholeNumber("--prompt", values.prompt, 1);
  const reply = wholeNumber("--reply", values.reply, 2);
  const wanted = namesOf("--subjects", values.subjects, ids);
  const chosen = subjects.filter(({ id }) => wanted.includes(id));
  const missing = missingBuild(chosen);
  if (missing !== undefined) throw new Obstacle(missing);

  const { path, bytes } = await ensureModel("9B", recipe, { signal, progress });
  const limit = memoryLimit(bytes, contextSize({ prompt, reply }));
  if (totalmem() < limit) {
    throw new Obstacle(
      `This machine has ${gigabytes(totalmem())} of memory; the model takes up to ${gigabytes(limit)}`,
    );
  }
  const job = { model: path, threads, prompt, reply, warm: 0 };
  const measured: { readonly subject: Subject; readonly measurement?: Measurement; readonly error?: string }[] = [];
  await using workshop = openWorkshop();
  for (const subject of chosen) {
    progress(`${subject.label} …`);
    try {
      const measurement = await runSubject(subject, { job, workshop, signal });
      progress(`  ${sentence(measurement)}`);
      measured.push({ subject, measurement });
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      progress(`  failed: ${message}`);
      measured.push({ subject, error: message });
    }
  }

  const rows = measured.map(({ subject, measurement, error }) => ({
    id: subject.id,
    label: subject.label,
    ...(measurement ? { measurement } : {}),
    ...(error === undefined ? {} : { error }),
    // The limit is ours alone: native llama.cpp maps the file and repacks into a second copy.
    ...(subject.family === "ours" ? { within: (measurement?.peakBytes ?? Infinity) <= limit } : {}),
  }));
  const machine = describeMachine(measured.flatMap(({ measurement }) => (measurement ? [measurement.runtime] : [])));
  const lines = rows.map(({ label, measurement, error, within }) =>
    measurement ? line({ label, within }, measurement) : `| ${label} | failed: ${error ?? ""} | | | | |`,
  );
  const text = [
    `GLM-Z1-9B's shape, random weights, ${recipe}: ${gigabytes(bytes)}. ${prompt} tokens evaluated and ${reply} generated ` +
      `on ${threads} threads, the first that the process did. Memory limit: 1.1 times the file, the KV cache and 300 MB, ` +
      `which is ${gigabytes(limit)}. ${machineLine(machine)}.`,
    "",
    "| subject | load, s | prefill, tokens/s | decode, tokens/s | peak memory | within the limit |",
    "| --- | --: | --: | --: | --: | --- |",
    ...lines,
  ].join("\n");
  const result = { machine, recipe, bytes, threads, prompt, reply, limit, rows };
  const paths = writeResults(`nine-b-${recipe.toLowerCase()}`, {
    json: JSON.stringify(result),
    md: `# A model of 9B\n\n${text}\n`,
  });
  console.log(`${text}\n\nWritten: ${paths.join(", ")}`);
  if (rows.some(({ within }) => within === false)) process.exitCode = 1;
}

function memoryLimit(fileBytes: number, contextTokens: number): number {
  const { layers, kvHeads, headSize } = shapes["9B"];
  // A key and a value of 2 bytes an element.
  const kvBytes = layers * kvHeads * headSize * 2 * 2 * contextTokens;
  return 1.1 * fileBytes + kvBytes + 300e6;
}

function line(
  { label, within }: { label: string; within: boolean | undefined },
  { loadMs, cold, peakBytes }: Measurement,
): string {
  const memory = peakBytes === undefined ? "unknown" : gigabytes(peakBytes);
  const verdict = within === undefined ? "" : within ? "yes" : "no";
  return `| ${label} | ${(loadMs / 1000).toFixed(1)} | ${cold.prefill.toFixed(2)} | ${cold.decode.toFixed(2)} | ${memory} | ${verdict} |`;
}

await interruptible("npm run bench:9b", (signal) => main(process.argv.slice(2), signal));
