import { fileURLToPath } from "node:url";

import type { CaseResult } from "./contract.ts";
import { startProcess } from "./start-process.ts";
import type { ProgramName } from "./start-process.ts";

const endings = {
  closed: "a program ends by itself after close()",
  open: "a program ends by itself without close()",
  left: "a program ends by itself when it left a run in the middle",
} as const;
const timeoutMs = 60_000;

/** Proves that nothing keeps a process alive that has said its last word. */
export async function runExits(program: ProgramName, threads: number, sdk: URL): Promise<CaseResult[]> {
  const script = fileURLToPath(new URL("hosts/exit.ts", import.meta.url));
  const results: CaseResult[] = [];
  for (const [ending, name] of Object.entries(endings)) {
    const lines: string[] = [];
    const start = performance.now();
    const signal = AbortSignal.timeout(timeoutMs);
    const args = [script, sdk.href, ending, String(threads)];
    const { code, stderr } = await startProcess(program, args, { signal, onLine: (line) => lines.push(line) });
    const ms = Math.round(performance.now() - start);
    if (code === 0 && lines.includes("done")) results.push({ name, outcome: "passed", ms });
    else {
      const state = signal.aborted ? `still ran after ${timeoutMs / 1000} s` : `ended with code ${String(code)}`;
      results.push({
        name,
        outcome: "failed",
        ms,
        message: `it ${state}, having said "${lines.join(" ")}"; ${stderr}`,
      });
    }
  }
  return results;
}
