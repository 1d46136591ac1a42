import { headerError } from "./header-error.ts";
import type { ModelHeader } from "./model-header.ts";

/** What the layers above and the engine want to know of a model, read from its header. */
export interface GgufFacts {
  /** Every token text of the vocabulary whose type is CONTROL or UNKNOWN, with its id. */
  readonly controlTokens: ReadonlyMap<string, number>;
  /** Ids at which generation ends: the file's eos, eot and eom, and the GLM family's role tokens. */
  readonly endTokens: readonly number[];
  /** Value of `general.architecture`. */
  readonly architecture: string;
  /** Tokens. */
  readonly contextTrained: number;
  /** Value of `general.name`. */
  readonly name?: string;
  /** The file's own chat template (jinja); base models have none. */
  readonly template?: string;
  /** Tokens. */
  readonly vocabularySize: number;
  /** Weights, summed over the tensors. */
  readonly parameters: number;
  /** Name of `general.file_type`, such as `Q4_K_M`; `unknown` where the file does not say. */
  readonly quantization: string;
  /** llama.cpp's number of how embeddings are pooled; undefined where the file does not say. */
  readonly pooling: number | undefined;
  /** A text with `{query}` and `{document}`, as a model that ranks wants the two; most have none. */
  readonly rankTemplate?: string;
}

// llama.cpp's numbers for mixtures of tensor types; the gaps are types that it has removed.
const fileTypes: Readonly<Record<number, string>> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  7: "Q8_0",
  8: "Q5_0",
  9: "Q5_1",
  10: "Q2_K",
  11: "Q3_K_S",
  12: "Q3_K_M",
  13: "Q3_K_L",
  14: "Q4_K_S",
  15: "Q4_K_M",
  16: "Q5_K_S",
  17: "Q5_K_M",
  18: "Q6_K",
  19: "IQ2_XXS",
  20: "IQ2_XS",
  21: "Q2_K_S",
  22: "IQ3_XS",
  23: "IQ3_XXS",
  24: "IQ1_S",
  25: "IQ4_NL",
  26: "IQ3_S",
  27: "IQ3_M",
  28: "IQ2_S",
  29: "IQ2_M",
  30: "IQ4_XS",
  31: "IQ1_M",
  32: "BF16",
  36: "TQ1_0",
  37: "TQ2_0",
  38: "MXFP4_MOE",
  39: "NVFP4",
  40: "Q1_0",
  41: "Q2_0",
};

/** Name of a `general.file_type`, or undefined if llama.cpp has none with this number. */
export function fileTypeName(id: unknown): string | undefined {
  return typeof id === "number" ? fileTypes[id] : undefined;
}

const unknownType = 2;
const controlType = 3;
// llama.cpp ends a generation at <|endoftext|> by itself, not at the next turn's role (published GLM-4-0414 files).
const glmEnds = ["<|endoftext|>", "<|user|>", "<|observation|>"];
const endKeys = ["eos", "eot", "eom"];

/**
 * Reads a model's facts.
 *
 * @throws {InferenceError} `format` if the context length is missing or a token id is outside the vocabulary
 */
export function modelFacts(header: ModelHeader): GgufFacts {
  const { architecture, metadata, label } = header;
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const types = metadata.get("tokenizer.ggml.token_type");
  const controlTokens = new Map<string, number>();
  const vocabulary: readonly unknown[] = Array.isArray(tokens) ? tokens : [];
  if (types !== undefined && (!Array.isArray(types) || types.length !== vocabulary.length)) {
    const count = Array.isArray(types) ? types.length : "no";
    throw headerError(label, `it has ${vocabulary.length} tokens but ${count} token types`);
  }
  for (const [id, type] of (types ?? []).entries()) {
    const token = vocabulary[id];
    if ((type === unknownType || type === controlType) && typeof token === "string" && token !== "")
      controlTokens.set(token, id);
  }
  const contextTrained = metadata.get(`${architecture}.context_length`);
  if (typeof contextTrained !== "number" || !Number.isSafeInteger(contextTrained) || contextTrained < 1) {
    throw headerError(
      label,
      `"${architecture}.context_length" is ${String(contextTrained)}; the trained context in tokens is wanted`,
    );
  }
  const name = metadata.get("general.name");
  const template = metadata.get("tokenizer.chat_template");
  const rankTemplate = metadata.get("tokenizer.chat_template.rerank");
  return {
    architecture,
    contextTrained,
    controlTokens,
    endTokens: endTokens(header, controlTokens, vocabulary.length),
    vocabularySize: vocabulary.length,
    parameters: header.tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    quantization: fileTypeName(metadata.get("general.file_type")) ?? "unknown",
    pooling: numberOf(metadata.get(`${architecture}.pooling_type`)),
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof template === "string" ? { template } : {}),
    ...(typeof rankTemplate === "string" ? { rankTemplate } : {}),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function endTokens(header: ModelHeader, controlTokens: ReadonlyMap<string, number>, size: number): number[] {
  const ids = new Set<number>();
  for (const kind of endKeys) {
    const key = `tokenizer.ggml.${kind}_token_id`;
    const id = header.metadata.get(key);
    if (id === undefined) continue;
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= size) {
      throw headerError(header.label, `"${key}" is ${String(id)}; an id below ${size} is wanted`);
    }
    ids.add(id);
  }
  // By its tokens rather than by architecture: the family's older files are `chatglm`, its larger ones `glm4` and `glm4moe`.
  if (controlTokens.has("<|observation|>") && controlTokens.has("<|user|>")) {
    for (const text of glmEnds) {
      const id = controlTokens.get(text);
      if (id !== undefined) ids.add(id);
    }
  }
  return [...ids];
}
