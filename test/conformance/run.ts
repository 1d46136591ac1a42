// Runs the same cases in every runtime. By itself: node test/conformance/run.ts [--only node,firefox] [--case text] [--write]
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { run } from "../../scripts/command.ts";
import { columns } from "./columns.ts";
import type { Column } from "./columns.ts";
import type { CaseResult } from "./contract.ts";
import { runExits } from "./exits.ts";
import { makeFixtures } from "./fixtures.ts";
import { runColumn } from "./run-column.ts";
import type { Suite } from "./run-column.ts";
import { serve } from "./server.ts";
import { markdownTable, replaceTable, summaryTable } from "./table.ts";
import type { ColumnResult } from "./table.ts";

export interface ConformanceOptions {
  /** Only columns whose name begins with one of these. */
  readonly only?: readonly string[];
  /** Only cases whose name contains this. */
  readonly caseName?: string;
  /** Writes the tables of README.md and docs/conformance.md. */
  readonly write?: boolean;
}

const root = new URL("../../", import.meta.url);
const model = new URL("models/ruminate-nano-q8_0.gguf", root);
const dist = new URL("dist/index.js", root);

/**
 * Runs every column, one after the other, and prints each case as it ends.
 *
 * @returns How many cases passed (true gaps among them) and failed, and the table that says which.
 */
export async function runConformance(
  options: ConformanceOptions = {},
): Promise<{ passed: number; failed: number; lines: string[] }> {
  if (!existsSync(dist))
    throw new Error('Cannot run the conformance suite: there is no dist; make it with "npm run build"');
  await using fixtures = await makeFixtures(model);
  await using server = await serve(root, fixtures.routes);
  await using cdn = await serve(root);
  const suite: Suite = {
    root,
    server,
    cdn,
    fixtures,
    model,
    onResult: printResult,
    ...(options.caseName === undefined ? {} : { only: options.caseName }),
  };
  const table: ColumnResult[] = [];
  for (const column of columns) {
    if (options.only && !options.only.some((name) => column.name.startsWith(name))) continue;
    console.log(`\n${column.name}`);
    const results = await runColumn(column, suite);
    table.push({ name: column.name, results: [...results, ...(await exitsOf(column, options))] });
  }
  const outcomes = table.flatMap(({ results }) => results.map(({ outcome }) => outcome));
  const failed = outcomes.filter((outcome) => outcome === "failed").length;
  const lines = markdownTable(table);
  if (options.write) {
    await writeTables(table);
  }
  return { passed: outcomes.length - failed, failed, lines };
}

/** Puts what a whole run came to into the documents. */
export async function writeTables(table: readonly ColumnResult[]): Promise<void> {
  const tables = [
    ["README.md", summaryTable(table)],
    ["docs/conformance.md", markdownTable(table)],
  ] as const;
  for (const [path, lines] of tables) {
    const file = new URL(path, root);
    await writeFile(file, replaceTable(await readFile(file, "utf8"), lines));
  }
  const { code, output } = await run(["oxfmt", ...tables.map(([path]) => path)]);
  if (code !== 0) throw new Error(`The tables were written but not formatted: ${output}`);
}

async function exitsOf({ program, from, threads }: Column, { caseName }: ConformanceOptions): Promise<CaseResult[]> {
  if (from !== "dist" || caseName !== undefined || !program) return [];
  const results = await runExits(program, threads, dist);
  for (const result of results) printResult(result);
  return results;
}

function printResult({ name, outcome, ms, message }: CaseResult): void {
  const mark = { passed: "✓", failed: "✗", gap: "–" }[outcome];
  console.log(`  ${mark} ${name} (${ms} ms)`);
  if (message !== undefined) console.log(`    ${message.replaceAll("\n", "\n    ")}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { only: { type: "string" }, case: { type: "string" }, write: { type: "boolean" } },
  });
  const { passed, failed, lines } = await runConformance({
    ...(values.only === undefined ? {} : { only: values.only.split(",") }),
    ...(values.case === undefined ? {} : { caseName: values.case }),
    ...(values.write === undefined ? {} : { write: values.write }),
  });
  console.log(`\n${lines.join("\n")}\n\n${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}
