// The bundled model, for tests of engines.
import { fileURLToPath } from "node:url";
import type { ContextConfig, ModelFacts } from "../../../src/engine/engine.ts";
import { startWllama } from "../../../src/engine/start-wllama.ts";
import type { StartWllamaOptions } from "../../../src/engine/start-wllama.ts";
import { wllamaAssets } from "../../../src/engine/wllama-assets.ts";
import { startInThread } from "../../../src/engine/in-thread.ts";
import { compileLlama, startLlama } from "../../../src/engine/start-llama.ts";
import type { StartLlamaOptions } from "../../../src/engine/start-llama.ts";
import type { Variant } from "../../../src/engine/variant.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { WeightFile } from "../../../src/gguf/weight-file.ts";
import { openLocalFile } from "../../../src/platform/files.ts";
import type { PromptSegment } from "../../../src/prompt/segment.ts";

export const nanoPath = fileURLToPath(new URL("../../../models/ruminate-nano-q8_0.gguf", import.meta.url));

export const nanoFacts: ModelFacts = {
  controlTokens: new Map([
    ["<|endoftext|>", 1012],
    ["[MASK]", 1013],
    ["[gMASK]", 1014],
    ["[sMASK]", 1015],
    ["<sop>", 1016],
    ["<eop>", 1017],
    ["<|system|>", 1018],
    ["<|user|>", 1019],
    ["<|assistant|>", 1020],
    ["<|observation|>", 1021],
  ]),
  endTokens: [1012, 1019, 1021],
  architecture: "glm4",
  contextTrained: 512,
};

/** Bytes before its first weight. */
export const nanoHeaderBytes = 34272;

export const nanoContext: ContextConfig = { size: 512, kvType: "f16" };

/** Greedy, it thinks the sum through and answers 132. */
export const sumPrompt: readonly PromptSegment[] = asking("What is 47 + 85?");

export function asking(question: string): PromptSegment[] {
  return [
    { kind: "control", text: "[gMASK]<sop><|user|>\n" },
    { kind: "content", text: question },
    { kind: "control", text: "<|assistant|>\n<think>\n" },
  ];
}

/** wllama over the bundled model, with one thread where not told otherwise, and its file closed with it. */
export function startNano(options: Partial<StartWllamaOptions> = {}): Promise<Engine> {
  return withFiles(options.files, (files) =>
    startWllama({ facts: nanoFacts, context: nanoContext, threads: 1, assets: wllamaAssets(), ...options, files }),
  );
}

/** Our engine over the bundled model, likewise. */
export async function startNanoLlama({
  variant = { bits: 32, shared: true, simd: "relaxed" },
  ...options
}: Partial<StartLlamaOptions> & { variant?: Variant } = {}): Promise<Engine> {
  const compiled = await compileLlama(variant);
  return withFiles(options.files, (files) =>
    startLlama({
      ...compiled,
      facts: nanoFacts,
      context: nanoContext,
      headers: [nanoHeaderBytes],
      threads: 1,
      why: [],
      ...options,
      files,
    }),
  );
}

/** Our engine in this very thread, likewise. */
export async function startNanoInThread(): Promise<Engine> {
  const { module, variant } = await compileLlama({ bits: 32, shared: false, simd: "relaxed" });
  const info = { engine: "llama", threads: 1, simd: variant.simd, memory: "wasm32", why: [] } as const;
  return withFiles(undefined, (files) =>
    startInThread({
      module,
      bits: 32,
      info,
      files,
      facts: nanoFacts,
      context: nanoContext,
      headers: [nanoHeaderBytes],
    }),
  );
}

async function withFiles(
  given: readonly WeightFile[] | undefined,
  start: (files: readonly WeightFile[]) => Promise<Engine>,
): Promise<Engine> {
  const files: readonly WeightFile[] = given ?? [await openLocalFile(nanoPath)];
  const closeFiles = async (): Promise<void> => void (await Promise.all(files.map((file) => file.close())));
  try {
    const engine = await start(files);
    const close = engine.close.bind(engine);
    engine.close = async () => {
      await close();
      await closeFiles();
    };
    return engine;
  } catch (error) {
    await closeFiles();
    throw error;
  }
}
