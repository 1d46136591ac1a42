// A process of its own that runs cases on native llama.cpp: which of its builds is loaded is settled once a process. With
// an argument, that folder's builds are loaded in place of the package's.
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { Llama, Token } from "node-llama-cpp";
import { bestOf, contextSize, promptTokens, steps, yarnFactor } from "./trace.ts";
import type { NativeTrace, RunCase } from "./trace.ts";

export interface NativeRequest {
  readonly cases: readonly RunCase[];
  /** Continuations to evaluate; absent: each case's own greedy one. */
  readonly continuations?: readonly (readonly number[])[];
  /** Whether attention computes in 32 bits throughout; llama.cpp rounds to 16 where it may. */
  readonly exactAttention?: boolean;
}

export interface NativeAnswer {
  /** What the build that was loaded says of itself. */
  readonly systemInfo: string;
  readonly traces: readonly NativeTrace[];
}

const [folder] = process.argv.slice(2);
if (folder !== undefined) useBuildsIn(folder);

function useBuildsIn(folder: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      const isBuilds = /^@node-llama-cpp\/[^/]+$/.test(specifier);
      return isBuilds
        ? { url: pathToFileURL(`${folder}/index.js`).href, shortCircuit: true }
        : next(specifier, context);
    },
  });
}

// After the hook, which it would escape as a static import.
const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");

async function runCase(
  llama: Llama,
  { model: modelPath, text, yarn, contextTrained }: RunCase,
  { continuation, exactAttention }: { continuation: readonly number[] | undefined; exactAttention: boolean },
): Promise<NativeTrace> {
  // A whole number would be given as an integer, which this key is not, and be ignored. As a 32-bit float this one is whole.
  const factor = yarnFactor + 1e-9;
  const scaling = { type: "yarn", factor, original_context_length: contextTrained } as const;
  const model = await llama.loadModel({
    modelPath,
    ...(yarn && { metadataOverrides: { glm4: { rope: { scaling } } } }),
  });
  try {
    const context = await model.createContext({
      contextSize,
      batchSize: 512,
      threads: 1,
      flashAttention: exactAttention ? false : "auto",
      experimentalKvCacheKeyType: exactAttention ? "F32" : "F16",
      experimentalKvCacheValueType: exactAttention ? "F32" : "F16",
    });
    const sequence = context.getSequence();
    const logitsAfter = async (tokens: readonly Token[]): Promise<Float32Array> => {
      const last = tokens.length - 1;
      const answers = await sequence.controlledEvaluate(
        tokens.map((token, at) => (at < last ? token : [token, { generateNext: { logits: true } }])),
      );
      const logits = answers[last]?.next.logits;
      if (!logits) throw new Error("native llama.cpp gave no logits");
      return Float32Array.from({ length: logits.size }, (_, token) => logits.get(token as Token) ?? NaN);
    };
    const tokens = model.tokenize(text, true);
    const logits = [await logitsAfter(tokens.slice(0, promptTokens))];
    const greedy: Token[] = [];
    for (let step = 0; step < steps; step += 1) {
      const best = bestOf(logits[step] ?? new Float32Array()) as Token;
      greedy.push(best);
      const next = (continuation?.[step] ?? best) as Token;
      if (step + 1 < steps) logits.push(await logitsAfter([next]));
    }
    return { tokens, logits, greedy, text: model.detokenize(greedy, true) };
  } finally {
    await model.dispose();
  }
}

process.once("message", async ({ cases, continuations, exactAttention = false }: NativeRequest) => {
  const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: 1 });
  const traces: NativeTrace[] = [];
  for (const [at, entry] of cases.entries()) {
    traces.push(await runCase(llama, entry, { continuation: continuations?.[at], exactAttention }));
  }
  const answer: NativeAnswer = { systemInfo: llama.systemInfo, traces };
  process.send?.(answer, () => process.disconnect());
});
