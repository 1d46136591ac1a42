// Runs every static check, two at a time: `npm run check`, or some of them: `npm run check -- lint types`.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CheckStep, checkSteps, packDirectory } from "./check-steps.ts";
import { indent, root, run } from "./command.ts";

/** What a stage of the test command reports. */
export interface CheckReport {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs the named checks and those that they need; all without names. Prints a line for each, and all that a failed one
 * said. A check whose predecessor failed counts as failed.
 *
 * @throws {RangeError} for a name that is no check.
 */
export async function runChecks(names: readonly string[] = []): Promise<CheckReport> {
  const steps = select(names);
  mkdirSync(packDirectory, { recursive: true });
  const outcomes = new Map<string, Promise<boolean>>();
  const lanes = createLanes(2);
  for (const step of steps) outcomes.set(step.name, runStep(step, outcomes, lanes));
  const results = await Promise.all(outcomes.values());
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

function select(names: readonly string[]): CheckStep[] {
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, string>;
  const all = checkSteps(join(packDirectory, `${name}-${version}.tgz`));
  const unknown = names.filter((wanted) => !all.some((step) => step.name === wanted));
  if (unknown.length > 0) {
    throw new RangeError(
      `No check is called ${unknown.join(", ")}; there are ${all.map((step) => step.name).join(", ")}`,
    );
  }
  if (names.length === 0) return [...all];
  const wanted = new Set(names);
  // Steps come after what they need, so one pass from the end finds everything.
  for (const step of all.toReversed())
    if (wanted.has(step.name)) for (const needed of step.after ?? []) wanted.add(needed);
  return all.filter((step) => wanted.has(step.name));
}

type Lane = <T>(work: () => Promise<T>) => Promise<T>;

async function runStep(step: CheckStep, outcomes: ReadonlyMap<string, Promise<boolean>>, lane: Lane): Promise<boolean> {
  for (const needed of step.after ?? []) {
    if (await outcomes.get(needed)) continue;
    console.log(`FAIL  ${step.name.padEnd(14)} not run, since ${needed} failed`);
    return false;
  }
  return lane(async () => {
    const { code, output, seconds } = await run(step.command);
    console.log(
      `${code === 0 ? "ok  " : "FAIL"}  ${step.name.padEnd(14)} ${seconds.toFixed(1).padStart(5)} s  ${step.what}`,
    );
    if (code !== 0) console.log(`${indent(`$ ${step.command.join(" ")}\n${output}`)}\n`);
    return code === 0;
  });
}

/** Runs at most `count` pieces of work at once, in the order they came. */
function createLanes(count: number): Lane {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

if (import.meta.main) {
  const { passed, failed } = await runChecks(process.argv.slice(2));
  console.log(`${passed} checks passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}
