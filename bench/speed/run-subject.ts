// Runs one job in a process or page of its own, so that nothing is warm and the memory is its own.
import { fileURLToPath } from "node:url";
import { openPage } from "../../test/conformance/start-browser.ts";
import { startProcess } from "../../test/conformance/start-process.ts";
import type { Job, Report, Run } from "./contract.ts";
import { isBrowser } from "./subjects.ts";
import type { Subject } from "./subjects.ts";
import type { Workshop } from "./workshop.ts";

/** Tokens a second. */
export interface Speeds {
  readonly prefill: number;
  readonly decode: number;
}

export interface Measurement {
  readonly loadMs: number;
  /** The first run of a process. */
  readonly cold: Speeds;
  /** Those after it. */
  readonly warm: readonly Speeds[];
  readonly peakBytes?: number;
  /** Engine, variant, runtime and versions, as they told. */
  readonly what: string;
  readonly runtime: string;
}

export interface RunSubjectOptions {
  readonly job: Omit<Job, "load" | "sdk" | "binaries">;
  readonly workshop: Workshop;
  readonly signal: AbortSignal;
}

/**
 * @throws {Error} what the subject says that went wrong
 * @throws `signal.reason`
 */
export async function runSubject(subject: Subject, options: RunSubjectOptions): Promise<Measurement> {
  options.signal.throwIfAborted();
  const reports: Report[] = [];
  const onLine = (line: string): Report | undefined => {
    const report = parseReport(line);
    if (report) reports.push(report);
    return report;
  };
  const runtime = isBrowser(subject)
    ? await runPage(subject, options, onLine)
    : await runProcess(subject, options, onLine);
  options.signal.throwIfAborted();
  return toMeasurement(reports, runtime);
}

type OnLine = (line: string) => Report | undefined;

async function runProcess(
  subject: Subject,
  { job, workshop, signal }: RunSubjectOptions,
  onLine: OnLine,
): Promise<undefined> {
  const { family, runtime, load, avx2 = false } = subject;
  if (runtime === "chromium" || runtime === "firefox") throw new TypeError(`${runtime} is no process`);
  const script = family === "native" ? "native.ts" : "process.ts";
  const whole: Job = { ...job, load, ...(avx2 ? { binaries: await workshop.avx2Binaries() } : {}) };
  const args = [fileURLToPath(new URL(`hosts/${script}`, import.meta.url)), JSON.stringify(whole)];
  let ended = false;
  const { code, stderr } = await startProcess(runtime, args, {
    signal,
    onLine: (line) => {
      const type = onLine(line)?.type;
      ended ||= type === "end" || type === "error";
    },
  });
  if (!ended && !signal.aborted) throw new Error(`It ended with code ${String(code)}: ${stderr.trim().slice(-500)}`);
}

/** Resolves to the browser's version. */
async function runPage(
  { runtime, load }: Subject,
  { job, workshop, signal }: RunSubjectOptions,
  onLine: OnLine,
): Promise<string> {
  if (runtime !== "chromium" && runtime !== "firefox") throw new TypeError(`${runtime} is no browser`);
  const origin = await workshop.origin(job.model);
  const whole: Job = {
    ...job,
    load,
    model: `${origin}/isolated/model.gguf`,
    sdk: `${origin}/isolated/dist/index.js`,
  };
  const address = `${origin}/isolated/bench/speed/hosts/page.html#${encodeURIComponent(JSON.stringify(whole))}`;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever awaits it comes later.
  promise.catch(() => {});
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await using page = await openPage(runtime, address, (line) => {
      const type = onLine(line)?.type;
      if (type === "end" || type === "error") resolve();
      else if (line === "the page crashed" || line.startsWith("uncaught: ")) reject(new Error(line));
    });
    await promise;
    const name = runtime === "chromium" ? "Chromium" : "Firefox";
    return `${name} ${page.version.replace(/^\D+/, "")}`;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function parseReport(line: string): Report | undefined {
  if (!line.startsWith('{"type":"')) return undefined;
  try {
    // Lines that begin so are written by hosts/ alone.
    return JSON.parse(line) as Report;
  } catch {
    return undefined;
  }
}

function toMeasurement(reports: readonly Report[], browser: string | undefined): Measurement {
  const runs: Speeds[] = [];
  let loaded: Extract<Report, { type: "loaded" }> | undefined;
  let peakBytes: number | undefined;
  for (const report of reports) {
    if (report.type === "error") throw new Error(report.message);
    else if (report.type === "loaded") loaded = report;
    else if (report.type === "run") runs.push(speedsOf(report.run));
    else ({ peakBytes } = report);
  }
  const [cold, ...warm] = runs;
  if (!loaded || !cold) throw new Error("It ended before it had measured anything");
  const { ms: loadMs, what, runtime } = loaded;
  return { loadMs, cold, warm, what, runtime: browser ?? runtime, ...(peakBytes === undefined ? {} : { peakBytes }) };
}

function speedsOf({ prompt, prefillMs, reply, decodeMs }: Run): Speeds {
  // The first token of a reply comes out of the prompt's evaluation; only the others take time in the decoding.
  return { prefill: (prompt / prefillMs) * 1000, decode: ((reply - 1) / decodeMs) * 1000 };
}

/** For progress. */
export function sentence({ cold, warm, loadMs, peakBytes }: Measurement): string {
  const speeds = [cold, ...warm].map(({ prefill, decode }) => `${prefill.toFixed(1)} / ${decode.toFixed(1)}`);
  const memory = peakBytes === undefined ? "" : `, ${(peakBytes / 1e6).toFixed(0)} MB`;
  return `${speeds.join(", then ")} tokens/s, loaded in ${(loadMs / 1000).toFixed(2)} s${memory}`;
}
