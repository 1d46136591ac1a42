// Measures the SDK in Node, Deno or Bun: the job comes as the argument, the reports go to stdout, one a line.
import { loadModel } from "../../../src/index.ts";
import type { Job, Report } from "../contract.ts";
import { measure } from "../measure.ts";
import { peakMemory } from "./peak-memory.ts";

const report = (line: Report): void => console.log(JSON.stringify(line));

function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  if (deno !== undefined) return `Deno ${deno}`;
  return bun === undefined ? `Node ${node}` : `Bun ${bun}`;
}

try {
  // The benchmark wrote it, and is of the same version.
  const job = JSON.parse(process.argv[2] ?? "") as Job;
  await measure(job, { loadModel, runtime: runtimeName(), report });
  const peakBytes = peakMemory();
  report({ type: "end", ...(peakBytes === undefined ? {} : { peakBytes }) });
} catch (error) {
  report({ type: "error", message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
