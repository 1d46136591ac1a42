import { InferenceError } from "../errors.ts";
import { ggmlTypes, poolingTypes, ropeTypes } from "../wasm/abi.ts";
import { NativeContext } from "../wasm/context.ts";
import type { NativeModel } from "../wasm/model.ts";
import type { ModelFacts } from "./engine.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { promptUnits } from "./prompt-tokens.ts";
import { TurnTaker } from "./turn.ts";

/** llama.cpp's number of the pooling that scores a pair of texts. */
export const rankPooling = 4;

interface Pooled {
  readonly texts: readonly (readonly number[])[];
  /** llama.cpp's number. */
  readonly pooling: number;
  readonly dimensions: number;
  readonly signal?: AbortSignal | undefined;
}

/** Evaluates texts by themselves, in a context that is there for as long as this takes. */
async function pooled(model: NativeModel, { texts, pooling, dimensions, signal }: Pooled): Promise<Float32Array[]> {
  const longest = Math.max(...texts.map((text) => text.length));
  if (longest > model.info.contextTrained) {
    throw new InferenceError(
      "context-full",
      `Cannot embed a text of ${longest} tokens: the model was trained on ${model.info.contextTrained} at once; split the text`,
      { details: { needed: longest, window: model.info.contextTrained } },
    );
  }
  const context = new NativeContext(model, {
    size: longest,
    batch: longest,
    sequences: 1,
    typeK: ggmlTypes.f16,
    typeV: ggmlTypes.f16,
    flashAttention: -1,
    ropeType: ropeTypes.asFile,
    yarnOriginal: 0,
    ropeScale: 0,
    pooling,
  });
  const turns = new TurnTaker();
  try {
    const results: Float32Array[] = [];
    for (const text of texts) {
      await turns.maybe();
      signal?.throwIfAborted();
      results.push(context.embed(text, dimensions));
    }
    return results;
  } finally {
    context.free();
  }
}

/** Embeddings of unit length; pooled as the model's file says, else by their mean. */
export async function embedTexts(
  model: NativeModel,
  texts: readonly (readonly number[])[],
  { facts, signal }: { facts: ModelFacts; signal?: AbortSignal | undefined },
): Promise<Float32Array[]> {
  const pooling = facts.pooling === undefined || facts.pooling === 0 ? poolingTypes.mean : facts.pooling;
  const vectors = await pooled(model, { texts, pooling, dimensions: model.info.embedding, signal });
  return vectors.map((vector) => {
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return length > 0 ? vector.map((value) => value / length) : vector;
  });
}

/**
 * A query with each document, as the model's file says, and else as llama.cpp's server joins the two and as cross-encoders
 * are trained. What a file says is a text with places for the two; these are content, in which no special token is found.
 */
export function pairsOf(
  { query, documents, template }: { query: string; documents: readonly string[]; template: string | undefined },
  { model, specials }: { model: NativeModel; specials: RegExp | undefined },
): number[][] {
  const { bos, eos, separator } = model.info;
  if (template !== undefined) {
    return documents.map((document) =>
      promptUnits(filled(template, { query, document }), [], { tokenizer: model, specials }).flatMap(({ tokens }) => [
        ...tokens,
      ]),
    );
  }
  const mark = (token: number): number[] => (token < 0 ? [] : [token]);
  const text = (part: string): number[] => [...model.tokenize(part.toWellFormed(), false)];
  return documents.map((document) => [
    ...mark(bos),
    ...text(query),
    ...mark(eos),
    ...mark(separator),
    ...text(document),
    ...mark(eos),
  ]);
}

function filled(template: string, texts: { readonly query: string; readonly document: string }): PromptSegment[] {
  return template
    .split(/(\{query\}|\{document\})/)
    .map((part) =>
      part === "{query}"
        ? { kind: "content", text: texts.query }
        : part === "{document}"
          ? { kind: "content", text: texts.document }
          : { kind: "control", text: part },
    );
}

/** How well each text of tokens, a query and a document, fits together: the model's own score. */
export async function rankTexts(
  model: NativeModel,
  texts: readonly (readonly number[])[],
  signal?: AbortSignal,
): Promise<Float64Array> {
  // A head with several classes has the wanted one first.
  const scores = await pooled(model, { texts, pooling: rankPooling, dimensions: 1, signal });
  return Float64Array.from(scores, ([score = Number.NaN]) => score);
}
