import { NativeSampler, schemaToGrammar } from "../wasm/context.ts";
import type { NativeModel } from "../wasm/model.ts";
import type { CompleteOptions } from "./engine.ts";

/** Tokens that a repeat penalty looks back at: llama.cpp's own default. */
const penaltyLast = 64;

/**
 * A sampler for one completion.
 *
 * @param before Tokens of the prompt.
 * @throws {InferenceError} `grammar`
 */
export function createSampler(
  model: NativeModel,
  { sampling, format, logitBias }: Pick<CompleteOptions, "sampling" | "format" | "logitBias">,
  before: readonly number[],
): NativeSampler {
  const grammar =
    format?.type === "gbnf"
      ? format.grammar.toWellFormed()
      : format && schemaToGrammar(model.module, format.schema ?? {});
  const sampler = new NativeSampler(model, {
    temperature: sampling.temperature,
    topK: sampling.topK,
    topP: sampling.topP,
    minP: sampling.minP,
    penaltyLast,
    repeatPenalty: sampling.repeatPenalty,
    frequencyPenalty: 0,
    presencePenalty: 0,
    seed: sampling.seed ?? Math.floor(Math.random() * 2 ** 32),
    grammar,
    logitBias,
  });
  if (sampling.repeatPenalty !== 1) sampler.see(before.slice(-penaltyLast));
  return sampler;
}
