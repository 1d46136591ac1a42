import type { RerankingModelV4, RerankingModelV4CallOptions, RerankingModelV4Result } from "@ai-sdk/provider";
import type { Model } from "../../index.ts";
import { modelIdOf } from "./language-model.ts";
import type { RuminateSettings } from "./provider-options.ts";

/** Every call is one `Model.rank()`. */
export class RuminateRerankingModel implements RerankingModelV4 {
  readonly specificationVersion = "v4" as const;
  readonly provider = "ruminate";
  readonly modelId: string;
  readonly #model: Model;

  constructor(model: Model, settings: Pick<RuminateSettings, "modelId">) {
    this.#model = model;
    this.modelId = modelIdOf(model, settings);
  }

  async doRerank(call: RerankingModelV4CallOptions): Promise<RerankingModelV4Result> {
    const { documents, query, topN, abortSignal } = call;
    const texts = documents.type === "text" ? documents.values : documents.values.map((value) => JSON.stringify(value));
    const scores = await this.#model.rank(query, texts, abortSignal ? { signal: abortSignal } : {});
    const ranking = Array.from(scores, (relevanceScore, index) => ({ index, relevanceScore }));
    ranking.sort((a, b) => b.relevanceScore - a.relevanceScore);
    return { ranking: ranking.slice(0, topN) };
  }
}
