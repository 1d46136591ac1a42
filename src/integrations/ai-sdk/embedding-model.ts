import type {
  EmbeddingModelV4,
  EmbeddingModelV4CallOptions,
  EmbeddingModelV4Result,
  SharedV4Warning,
} from "@ai-sdk/provider";
import type { Model } from "../../index.ts";
import { modelIdOf } from "./language-model.ts";
import type { RuminateSettings } from "./provider-options.ts";

/** Every call is one `Model.embed()`. */
export class RuminateEmbeddingModel implements EmbeddingModelV4 {
  readonly specificationVersion = "v4" as const;
  readonly provider = "ruminate";
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number = Infinity;
  /** There is one engine, and calls wait for each other. */
  readonly supportsParallelCalls = false;
  readonly #model: Model;

  constructor(model: Model, settings: Pick<RuminateSettings, "modelId">) {
    this.#model = model;
    this.modelId = modelIdOf(model, settings);
  }

  async doEmbed({ values, dimensions, abortSignal }: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> {
    const warnings: SharedV4Warning[] = [];
    if (dimensions !== undefined) {
      warnings.push({
        type: "unsupported",
        feature: "dimensions",
        details: "Vectors are as long as the model makes them.",
      });
    }
    if (values.length === 0) return { embeddings: [], usage: { tokens: 0 }, warnings };
    const vectors = await this.#model.embed(values, abortSignal ? { signal: abortSignal } : {});
    let tokens = 0;
    for (const value of values) tokens += await this.#model.count(value);
    return { embeddings: vectors.map((vector) => [...vector]), usage: { tokens }, warnings };
  }
}
