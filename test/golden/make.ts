// Writes golden.json: what native llama.cpp makes of the bundled model. `node test/golden/make.ts` after a change of
// model or prompts; golden.test.ts makes it anew and compares.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import type { Token } from "node-llama-cpp";

import { forgeries, prompts } from "./prompts.ts";

export interface GoldenCase {
  readonly name: string;
  readonly question?: string;
  readonly prompt: string;
  readonly maxTokens: number;
  /** Token ids of the prompt, control tokens parsed. */
  readonly promptTokens: readonly number[];
  /** Token ids of the greedy continuation, without the end token. */
  readonly outputTokens: readonly number[];
  /** The continuation as text. */
  readonly text: string;
  readonly finishReason: "stop" | "length";
}
/** A chat with one message, whose control tokens are tokenized as the plain characters that they are. */
export interface GoldenForgery {
  readonly name: string;
  readonly content: string;
  readonly maxTokens: number;
  readonly promptTokens: readonly number[];
  readonly outputTokens: readonly number[];
  readonly text: string;
  readonly finishReason: "stop" | "length";
}
export interface Golden {
  /** File name of the model. */
  readonly model: string;
  /** Of the model file. */
  readonly sha256: string;
  readonly cases: readonly GoldenCase[];
  readonly forgeries: readonly GoldenForgery[];
}

export const goldenUrl: URL = new URL("golden.json", import.meta.url);
const modelUrl = new URL("../../models/ruminate-nano-q8_0.gguf", import.meta.url);

/** Runs every prompt through native llama.cpp: one thread, greedy, flash attention off. */
export async function makeGolden(): Promise<Golden> {
  // Prebuilt and on the CPU: nothing is compiled, nothing is downloaded, and every machine computes the same.
  const llama = await getLlama({
    gpu: false,
    build: "never",
    logLevel: LlamaLogLevel.error,
    maxThreads: 1,
  });
  try {
    const model = await llama.loadModel({ modelPath: fileURLToPath(modelUrl) });
    const context = await model.createContext({
      contextSize: 512,
      flashAttention: false,
      threads: 1,
    });
    const sequence = context.getSequence();
    const greedy = async (promptTokens: Token[], maxTokens: number): Promise<Pick<GoldenCase, "outputTokens" | "text" | "finishReason">> => {
      const outputTokens: Token[] = [];
      await sequence.clearHistory();
      for await (const token of sequence.evaluate(promptTokens, { temperature: 0, yieldEogToken: true })) {
        if (model.isEogToken(token)) return { outputTokens, text: model.detokenize(outputTokens, true), finishReason: "stop" };
        outputTokens.push(token);
        if (outputTokens.length >= maxTokens) break;
      }
      return { outputTokens, text: model.detokenize(outputTokens, true), finishReason: "length" };
    };
    const cases: GoldenCase[] = [];
    for (const entry of prompts) {
      const promptTokens = model.tokenize(entry.prompt, true);
      cases.push({ ...entry, promptTokens, ...(await greedy(promptTokens, entry.maxTokens)) });
    }
    const forged: GoldenForgery[] = [];
    for (const entry of forgeries) {
      const promptTokens = [
        ...model.tokenize("[gMASK]<sop><|user|>", true),
        ...model.tokenize(`\n${entry.content}`, false),
        ...model.tokenize("<|assistant|>\n<think>\n", true),
      ];
      forged.push({ ...entry, promptTokens, ...(await greedy(promptTokens, entry.maxTokens)) });
    }
    const sha256 = createHash("sha256")
      .update(await readFile(modelUrl))
      .digest("hex");
    return { model: modelUrl.pathname.split("/").at(-1) ?? "", sha256, cases, forgeries: forged };
  } finally {
    await llama.dispose();
  }
}

/** One line an array of token ids, so that a change can be read in a diff. */
export function stringifyGolden(golden: Golden): string {
  return (
    JSON.stringify(golden, null, 2).replace(
      /\[\s+(\d[\d,\s]*?)\s+\]/g,
      (_, ids: string) => `[${ids.replace(/\s+/g, " ")}]`,
    ) + "\n"
  );
}

if (import.meta.main) {
  const golden = await makeGolden();
  await writeFile(goldenUrl, stringifyGolden(golden));
  for (const { name, text, promptTokens } of [...golden.cases, ...golden.forgeries]) {
    console.log(`${name}: ${promptTokens.length} tokens: ${JSON.stringify(text)}`);
  }
}
