// How fast ruminate is beside wllama and native llama.cpp: node bench/bench.ts --help
import { chart } from "./speed/chart.ts";
import { interruptible } from "./speed/interruptible.ts";
import { describeMachine } from "./speed/machine.ts";
import { ensureModel, Obstacle } from "./speed/models.ts";
import { help, readOptions } from "./speed/options.ts";
import type { Options } from "./speed/options.ts";
import { checkReadme, writeReadme, writeResults } from "./speed/output.ts";
import { runSubject, sentence } from "./speed/run-subject.ts";
import type { Measurement } from "./speed/run-subject.ts";
import { missingBuild, whyNot } from "./speed/subjects.ts";
import type { Subject } from "./speed/subjects.ts";
import { summarize } from "./speed/summary.ts";
import type { Group, Measured } from "./speed/summary.ts";
import { fullTables, shortTable, threadsText } from "./speed/tables.ts";
import type { Results } from "./speed/tables.ts";
import { openWorkshop } from "./speed/workshop.ts";
import type { Workshop } from "./speed/workshop.ts";

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const options = readOptions(args);
  if (options.help) {
    console.log(help);
    return;
  }
  const missing = missingBuild(options.chosen);
  if (missing !== undefined) throw new Obstacle(missing);
  if (options.write) checkReadme();
  const notes: string[] = [];
  const able = options.chosen.filter((subject) => {
    const reason = whyNot(subject, options.chosen);
    if (reason !== undefined) notes.push(`${subject.label}: ${reason}.`);
    return reason === undefined;
  });
  for (const note of notes) progress(`Not measured: ${note}`);
  const results = { ...(await measureAll(options, able, signal)), notes };
  const paths = writeResults(options.name, {
    json: JSON.stringify(results),
    md: fullTables(results),
    svg: chart(results),
  });
  if (options.write) writeReadme(shortTable(results));
  console.log(`${shortTable(results)}\n\nWritten: ${paths.join(", ")}${options.write ? ", README.md" : ""}`);
  if (results.groups.some(({ rows }) => rows.some(({ error }) => error !== undefined))) process.exitCode = 1;
}

async function measureAll(
  options: Options,
  able: readonly Subject[],
  signal: AbortSignal,
): Promise<Omit<Results, "notes">> {
  await using workshop = openWorkshop();
  const groups: Group[] = [];
  for (const recipe of options.recipes) {
    const { path, bytes } = await ensureModel(options.size, recipe, { signal, progress });
    for (const threads of options.threads) {
      progress(`${options.size} ${recipe}, ${threadsText(threads)}`);
      const measured = await measureGroup(able, options, { path, threads, workshop, signal });
      groups.push({ model: recipe, bytes, threads, rows: summarize(measured) });
    }
  }
  const runtimes = groups.flatMap(({ rows }) => rows.flatMap(({ measurements }) => measurements.map((m) => m.runtime)));
  const { prompt, reply, rounds, size } = options;
  return { machine: describeMachine(runtimes), prompt, reply, rounds, size, groups };
}

interface GroupOptions {
  readonly path: string;
  readonly threads: number;
  readonly workshop: Workshop;
  readonly signal: AbortSignal;
}

async function measureGroup(
  able: readonly Subject[],
  { rounds, prompt, reply, warm }: Options,
  { path, threads, workshop, signal }: GroupOptions,
): Promise<Measured[]> {
  const found = new Map(able.map((subject) => [subject, new Array<Measurement>()]));
  const errors = new Map<Subject, string>();
  for (let round = 1; round <= rounds; round += 1) {
    // There and back, so that what slows down over time slows down all alike.
    for (const subject of round % 2 === 1 ? able : able.toReversed()) {
      if (errors.has(subject)) continue;
      try {
        const job = { model: path, threads, prompt, reply, warm };
        const measurement = await runSubject(subject, { job, workshop, signal });
        found.get(subject)?.push(measurement);
        progress(`  ${round}/${rounds} ${subject.label}: ${sentence(measurement)}`);
      } catch (error) {
        signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        errors.set(subject, message);
        progress(`  ${round}/${rounds} ${subject.label} failed: ${message}`);
      }
    }
  }
  return able.map((subject) => {
    const error = errors.get(subject);
    return { subject, measurements: found.get(subject) ?? [], ...(error === undefined ? {} : { error }) };
  });
}

await interruptible("npm run bench", (signal) => main(process.argv.slice(2), signal));
