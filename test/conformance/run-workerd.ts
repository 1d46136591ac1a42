import type { CaseResult, HostConfig, HostReport } from "./contract.ts";
import { startWorkerd } from "./start-workerd.ts";
import type { RunningWorker } from "./start-workerd.ts";

/** Bytes that Cloudflare gives one Worker, its code and memory together. */
const workerBytes = 128 * 2 ** 20;
/** The case that is what a Worker does: load the model, answer one question. */
const job = "chat() streams prefill, then thoughts, then the answer, then finish";

interface WorkerdOptions {
  readonly onLine: (line: string) => void;
  readonly end: Promise<void>;
  readonly signal: AbortSignal;
}

/** Runs the cases in workerd, and one job in another one, whose memory is measured. */
export async function runWorkerd(config: HostConfig, { onLine, end, signal }: WorkerdOptions): Promise<void> {
  await using worker = await startWorkerd(onLine);
  for await (const line of reports(worker, config, signal)) {
    if (line === '{"type":"end"}' && config.only === undefined) onLine(await memoryReport(config, signal));
    onLine(line);
  }
  await end;
}

async function* reports(worker: RunningWorker, config: HostConfig, signal: AbortSignal): AsyncGenerator<string> {
  const response = await fetch(worker.origin, { method: "POST", body: JSON.stringify(config), signal });
  if (!response.body) throw new Error(`workerd answered ${response.status} without a body`);
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** The process as a whole is measured: more than a Worker's share is counted, never less. */
async function memoryReport(config: HostConfig, signal: AbortSignal): Promise<string> {
  const startedAt = performance.now();
  await using worker = await startWorkerd(() => undefined);
  const lines: string[] = [];
  for await (const line of reports(worker, { ...config, only: job }, signal)) lines.push(line);
  const { peak, idle } = worker.peakBytes();
  const taken = peak - idle;
  const answered = lines.some((line) => line.includes('"outcome":"passed"'));
  const good = answered && taken < workerBytes;
  const result: CaseResult = {
    name: "a job takes less than a Worker's 128 MB",
    outcome: good ? "passed" : "failed",
    ms: Math.round(performance.now() - startedAt),
    ...(good ? {} : { message: answered ? `it took ${Math.round(taken / 2 ** 20)} MiB` : lines.join("\n") }),
  };
  return JSON.stringify({ type: "result", result } satisfies HostReport);
}
