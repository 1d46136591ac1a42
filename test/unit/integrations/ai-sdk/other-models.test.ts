import { describe, expect, test } from "vitest";
import { ruminate } from "../../../../src/ai-sdk.ts";
import type { Model } from "../../../../src/index.ts";
import { scriptedModel } from "../../api/scripted-model.ts";
import { reasonOf } from "./call.ts";

/** A model whose vectors and scores are those given; the scripted engine makes none. */
function modelWith(answers: Partial<Pick<Model, "embed" | "rank" | "count">>): Model {
  return Object.assign(scriptedModel(() => "").model, answers);
}

describe("ruminate.embedding()", () => {
  test("gives a vector for each value, in their order, and the tokens of all", async () => {
    const model = modelWith({
      embed: async (input) => [...input].map((text) => Float32Array.of(text.length, 0.5)),
      count: async (input) => input.length,
    });
    const embedding = ruminate.embedding(model);
    expect(embedding).toMatchObject({
      specificationVersion: "v4",
      provider: "ruminate",
      modelId: "ruminate-nano",
      supportsParallelCalls: false,
      maxEmbeddingsPerCall: Infinity,
    });
    expect(await embedding.doEmbed({ values: ["a", "bcd"] })).toEqual({
      embeddings: [
        [1, 0.5],
        [3, 0.5],
      ],
      usage: { tokens: 4 },
      warnings: [],
    });
  });

  test("asks for nothing where there are no values, and warns of a wanted length", async () => {
    const { embeddings, warnings } = await ruminate
      .embedding(scriptedModel(() => "").model)
      .doEmbed({ values: [], dimensions: 8 });
    expect(embeddings).toEqual([]);
    expect(warnings).toMatchObject([{ type: "unsupported", feature: "dimensions" }]);
  });

  test("passes on the signal, and errors of the model", async () => {
    const embedding = ruminate.embedding(scriptedModel(() => "", { capabilities: { embed: true } }).model);
    const abortSignal = AbortSignal.abort(new Error("enough"));
    expect(await reasonOf(embedding.doEmbed({ values: ["a"], abortSignal }))).toMatchObject({ message: "enough" });
    const unable = ruminate.embedding(scriptedModel(() => "").model);
    expect(await reasonOf(unable.doEmbed({ values: ["a"] }))).toMatchObject({ code: "unsupported" });
  });
});

describe("ruminate.reranking()", () => {
  const model = modelWith({
    rank: async (_, documents) => Float64Array.from(documents, (text) => Number(/\d+/.exec(text)?.[0])),
  });

  test("gives the documents' places, the best first, as many as asked for", async () => {
    const reranking = ruminate.reranking(model, { modelId: "mine" });
    expect(reranking).toMatchObject({ specificationVersion: "v4", provider: "ruminate", modelId: "mine" });
    const documents = { type: "text" as const, values: ["2", "30", "1"] };
    expect((await reranking.doRerank({ query: "q", documents })).ranking).toEqual([
      { index: 1, relevanceScore: 30 },
      { index: 0, relevanceScore: 2 },
      { index: 2, relevanceScore: 1 },
    ]);
    expect((await reranking.doRerank({ query: "q", documents, topN: 1 })).ranking).toHaveLength(1);
  });

  test("ranks objects as their JSON", async () => {
    const documents = { type: "object" as const, values: [{ n: 1 }, { n: 2 }] };
    const { ranking } = await ruminate.reranking(model).doRerank({ query: "q", documents });
    expect(ranking.map(({ index }) => index)).toEqual([1, 0]);
  });
});
