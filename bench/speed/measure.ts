// Measures the SDK in whatever host this runs in: only web standards here.
import type * as sdk from "../../src/index.ts";
import { digitTokens } from "../random/vocabulary.ts";
import { contextSize, promptDigits } from "./contract.ts";
import type { Job, Report, Run } from "./contract.ts";

export interface MeasureOptions {
  readonly loadModel: typeof sdk.loadModel;
  readonly runtime: string;
  readonly report: (report: Report) => void;
}

/** Loads, runs, closes; reports everything but the end, and rejects with what goes wrong. */
export async function measure(job: Job, { loadModel, runtime, report }: MeasureOptions): Promise<void> {
  const startedAt = performance.now();
  await using model = await loadModel(job.model, {
    ...job.load,
    threads: job.threads,
    context: { size: contextSize(job) },
  });
  const ms = performance.now() - startedAt;
  const { engine, memory, simd, threads } = model.info;
  if (threads !== job.threads) {
    throw new Error(`The engine runs ${threads} threads instead of ${job.threads}: ${model.info.why.join(" ")}`);
  }
  report({ type: "loaded", ms, what: `${engine}, ${memory}, ${simd} SIMD`, runtime });
  for (let run = 0; run <= job.warm; run += 1) report({ type: "run", run: await runOnce(model, job, run) });
}

async function runOnce(model: sdk.Model, job: Job, run: number): Promise<Run> {
  const digits = promptDigits(job.prompt, run);
  // wllama takes no tokens.
  const prompt = job.load.engine === "wllama" ? digits : digitTokens(digits);
  const { usage, timings } = await model
    .generate(prompt, { maxTokens: job.reply, temperature: 0, repeatPenalty: 1 })
    .result();
  const reply = usage.text + usage.reasoning;
  if (reply !== job.reply) throw new Error(`The engine generated ${reply} tokens instead of ${job.reply}`);
  return { prompt: usage.prompt - usage.cached, prefillMs: timings.prefillMs, reply, decodeMs: timings.decodeMs };
}
