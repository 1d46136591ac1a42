// Measures native llama.cpp as hosts/process.ts measures the SDK.
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { LlamaContextSequence, Token } from "node-llama-cpp";
import { digitTokens } from "../../random/vocabulary.ts";
import { contextSize, promptDigits } from "../contract.ts";
import type { Job, Report, Run } from "../contract.ts";
import { peakMemory } from "./peak-memory.ts";

const report = (line: Report): void => console.log(JSON.stringify(line));

async function measureNative(job: Job): Promise<void> {
  const { binaries, threads } = job;
  if (binaries !== undefined) {
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier.startsWith("@node-llama-cpp/")
          ? { url: pathToFileURL(binaries).href, shortCircuit: true }
          : next(specifier, context),
    });
  }
  // Imported only now, so that the hook is asked.
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: threads });
  const startedAt = performance.now();
  const model = await llama.loadModel({ modelPath: job.model });
  const context = await model.createContext({ contextSize: contextSize(job), threads, flashAttention: "auto" });
  const ms = performance.now() - startedAt;
  const features = [...llama.systemInfo.matchAll(/(\w+) = 1/g)].map(([, name]) => name).join(" ");
  report({ type: "loaded", ms, what: `native, ${features}`, runtime: `llama.cpp ${llama.llamaCppRelease.release}` });
  const sequence = context.getSequence();
  for (let run = 0; run <= job.warm; run += 1) report({ type: "run", run: await runOnce(sequence, job, run) });
}

/** The first token comes when the prompt is evaluated; the others take an evaluation each. */
async function runOnce(sequence: LlamaContextSequence, job: Job, run: number): Promise<Run> {
  await sequence.clearHistory();
  // A token is a number to this package; its type only keeps other numbers out.
  const prompt = [...digitTokens(promptDigits(job.prompt, run))] as Token[];
  const startedAt = performance.now();
  let firstAt = startedAt;
  let lastAt = startedAt;
  let reply = 0;
  for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    lastAt = performance.now();
    if (reply === 0) firstAt = lastAt;
    reply += 1;
    if (reply === job.reply) break;
  }
  return { prompt: job.prompt, prefillMs: firstAt - startedAt, reply, decodeMs: lastAt - firstAt };
}

try {
  // The benchmark wrote it, and is of the same version.
  await measureNative(JSON.parse(process.argv[2] ?? "") as Job);
  const peakBytes = peakMemory();
  report({ type: "end", ...(peakBytes === undefined ? {} : { peakBytes }) });
} catch (error) {
  report({ type: "error", message: error instanceof Error ? error.message : String(error) });
}
// Its threads would keep the process.
process.exit();
