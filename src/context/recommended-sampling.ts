import type { SamplingOptions } from "../contract.ts";

/**
 * The sampling that a model's maker recommends, from GGUF metadata: the file's own `general.sampling.*` keys, and for what
 * they leave open the advice for its family, by name. GLM-Z1: temperature 0.6, topP 0.95, topK 40, maxTokens 30000;
 * GLM-Z1-Rumination: temperature 0.95, topP 0.7, maxTokens 16384.
 *
 * @returns Only what is recommended; `{}` for a model that nothing is known about.
 *
 * @example
 * ```ts
 * recommendedSampling(new Map([["general.name", "GLM-Z1-9B-0414"]]));
 * // { temperature: 0.6, topP: 0.95, topK: 40, maxTokens: 30000 }
 * ```
 */
export function recommendedSampling(metadata: ReadonlyMap<string, unknown>): SamplingOptions {
  return { ...familySampling(metadata), ...fileSampling(metadata) };
}

/** Source: the generation advice of the GLM-Z1 model cards. */
const glmZ1: SamplingOptions = { temperature: 0.6, topP: 0.95, topK: 40, maxTokens: 30_000 };

/** Source: the example on the model card of GLM-Z1-Rumination. */
const glmZ1Rumination: SamplingOptions = { temperature: 0.95, topP: 0.7, maxTokens: 16_384 };

function familySampling(metadata: ReadonlyMap<string, unknown>): SamplingOptions {
  const names = ["general.name", "general.basename"].map((key) => String(metadata.get(key) ?? "")).join(" ");
  // Converters write the name with hyphens, blanks or underscores, in any case.
  if (!/(?<![a-z0-9])glm[-_ ]*(4[-_ ]*)?z1(?![a-z0-9])/i.test(names)) return {};
  return /rumination/i.test(names) ? glmZ1Rumination : glmZ1;
}

type Sampled = Exclude<keyof SamplingOptions, "maxTokens" | "seed">;

/** llama.cpp's keys, as its converter writes them from a model's generation_config.json. */
const keys: readonly { key: string; option: Sampled; valid: (value: number) => boolean }[] = [
  { key: "temp", option: "temperature", valid: (value) => value >= 0 },
  { key: "top_p", option: "topP", valid: (value) => value >= 0 && value <= 1 },
  { key: "top_k", option: "topK", valid: (value) => Number.isInteger(value) && value >= 0 },
  { key: "min_p", option: "minP", valid: (value) => value >= 0 && value <= 1 },
  { key: "penalty_repeat", option: "repeatPenalty", valid: (value) => value > 0 },
];

function fileSampling(metadata: ReadonlyMap<string, unknown>): SamplingOptions {
  const sampling: SamplingOptions = {};
  for (const { key, option, valid } of keys) {
    const value = asNumber(metadata.get(`general.sampling.${key}`));
    // A stranger's file may hold anything; what cannot be a recommendation is none.
    if (value !== undefined && Number.isFinite(value) && valid(value)) sampling[option] = value;
  }
  return sampling;
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "number") return undefined;
  // The file holds 32-bit floats: seven digits turn 0.949999988079071 back into the 0.95 that was meant.
  return Number(value.toPrecision(7));
}
