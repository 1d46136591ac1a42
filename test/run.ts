// What `npm test` runs: every stage in turn, then the one line that counts them all.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../scripts/command.ts";
import { browsersStage } from "./stages/browsers.ts";
import { buildStage, checksStage } from "./stages/checks.ts";
import { conformanceStage } from "./stages/conformance.ts";
import { examplesStage } from "./stages/examples.ts";
import type { Stage, StageResult } from "./stages/stage.ts";
import { vitestStage } from "./stages/vitest.ts";
import { wasmStage } from "./stages/wasm.ts";

const unit = vitestStage("unit", "each module by itself; greedy text equals native llama.cpp's", [
  "test/unit",
  "test/architecture",
  "test/golden",
]);
const servers = vitestStage("servers", "the remote engine, against llama.cpp's own server and ours", ["test/servers"]);
const packaging = vitestStage("packaging", "the packed package, installed in fresh projects", ["test/packaging"]);
const docs = vitestStage("docs", "every code block of the README and the guides, as its reader would run it", [
  "test/docs",
]);

const stages: readonly Stage[] = [
  browsersStage,
  wasmStage,
  checksStage,
  unit,
  servers,
  conformanceStage,
  packaging,
  examplesStage,
  docs,
];
/** Stages that look at dist, which `check` builds when it runs. */
const needBuild: readonly Stage[] = [conformanceStage, packaging, docs];

const help = `Usage: npm test -- [--only <stage>,…]

Stages, in order:
${stages.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join("\n")}`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean", short: "h" } } });
  if (values.help === true) {
    console.log(help);
    return;
  }
  const chosen = choose(values.only?.split(","));
  mkdirSync(join(root, ".cache"), { recursive: true });
  console.log(chosen.map(({ name, what }, index) => `${index + 1}. ${name}: ${what}`).join("\n"));
  const results: StageResult[] = [];
  for (const stage of chosen) results.push(await runStage(stage));
  console.log(`\n${results.map(summary).join("\n")}`);
  const passed = sum(results.map((result) => result.passed));
  const failed = sum(results.map((result) => result.failed));
  console.log(`${passed} passed, ${failed} failed`);
  // Not exitCode alone: a stage that crashed may have left something running.
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

function choose(names: readonly string[] | undefined): Stage[] {
  if (names === undefined) return [...stages];
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) throw new RangeError(`No stage is called ${unknown.join(", ")}.\n\n${help}`);
  const chosen = stages.filter((stage) => names.includes(stage.name));
  return needBuild.some((stage) => chosen.includes(stage)) && !chosen.includes(checksStage)
    ? [buildStage, ...chosen]
    : chosen;
}

async function runStage(stage: Stage): Promise<StageResult> {
  const startedAt = performance.now();
  console.log(`\n=== ${stage.name}: ${stage.what}`);
  try {
    const { passed, failed } = await stage.run();
    console.log(`--- ${stage.name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    if (passed + failed > 0) return { name: stage.name, passed, failed };
    console.log(`FAIL  ${stage.name} ran nothing`);
  } catch (error) {
    console.log(
      `FAIL  ${stage.name} crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
  return { name: stage.name, passed: 0, failed: 1 };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const summary = ({ name, passed, failed }: StageResult): string =>
  `${failed === 0 ? "ok  " : "FAIL"}  ${name.padEnd(12)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed`;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
