import type { EmbeddingModelV4, LanguageModelV4, RerankingModelV4 } from "@ai-sdk/provider";
import type { Model } from "../../index.ts";
import { RuminateEmbeddingModel } from "./embedding-model.ts";
import { RuminateLanguageModel } from "./language-model.ts";
import type { RuminateSettings } from "./provider-options.ts";
import { RuminateRerankingModel } from "./reranking-model.ts";

/** Makes models of the AI SDK from a loaded model, which stays yours to close. */
export interface Ruminate {
  /** A language model: for `generateText()`, `streamText()` and all that is built on them. */
  (model: Model, settings?: RuminateSettings): LanguageModelV4;
  /** An embedding model: for `embed()` and `embedMany()`. Its vectors have unit length. */
  embedding(model: Model, settings?: Pick<RuminateSettings, "modelId">): EmbeddingModelV4;
  /** A reranking model, of a model that ranks: for `rerank()`. Objects are ranked as their JSON. */
  reranking(model: Model, settings?: Pick<RuminateSettings, "modelId">): RerankingModelV4;
}

/**
 * Makes models of the AI SDK from a loaded model.
 *
 * @example
 * ```ts
 * await using model = await loadModel();
 * const { text } = await generateText({ model: ruminate(model), prompt: "What is 47 + 85?" });
 * ```
 */
export const ruminate: Ruminate = Object.assign(
  (model: Model, settings: RuminateSettings = {}): LanguageModelV4 => new RuminateLanguageModel(model, settings),
  {
    embedding: (model: Model, settings: Pick<RuminateSettings, "modelId"> = {}): EmbeddingModelV4 =>
      new RuminateEmbeddingModel(model, settings),
    reranking: (model: Model, settings: Pick<RuminateSettings, "modelId"> = {}): RerankingModelV4 =>
      new RuminateRerankingModel(model, settings),
  },
);
