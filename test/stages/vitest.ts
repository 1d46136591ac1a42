import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../../scripts/command.ts";
import type { Stage } from "./stage.ts";

/** The part of vitest's JSON report that is counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** The test files in some folders, under vitest. A skipped test counts as failed: gaps are named, never skipped. */
export function vitestStage(name: string, what: string, folders: readonly string[]): Stage {
  return {
    name,
    what,
    async run() {
      const file = join(root, ".cache", `vitest-${name}.json`);
      rmSync(file, { force: true });
      const { code } = await run(
        ["vitest", "run", ...folders, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
        { timeoutMs: 1_800_000, onoutput: (text) => process.stdout.write(text) },
      );
      const counts = count(JSON.parse(readFileSync(file, "utf8")) as VitestReport);
      // An error outside any test, such as an unhandled rejection, shows in the exit code alone.
      return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
    },
  };
}

function count(report: VitestReport): { passed: number; failed: number } {
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0)
    console.log(`FAIL  ${skipped} tests were skipped; a gap is a named value with its reason, not a skip`);
  const broken = report.testResults.filter((suite) => suite.status === "failed" && suite.assertionResults.length === 0);
  return { passed: report.numPassedTests, failed: report.numFailedTests + skipped + broken.length };
}
