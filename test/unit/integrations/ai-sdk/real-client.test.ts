// The AI SDK itself over the bundled model.
import {
  createProviderRegistry,
  customProvider,
  embed,
  embedMany,
  generateObject,
  generateText,
  jsonSchema,
  Output,
  stepCountIs,
  streamText,
  tool,
} from "ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ruminate } from "../../../../src/ai-sdk.ts";
import { loadModel, type Model } from "../../../../src/index.ts";

let model: Model;
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 1 });
});
afterAll(() => model.close());

const prompt = "What is 47 + 85?";
const facts: Record<string, string> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };
const asked: string[] = [];
const search = tool({
  description: "Search for a fact",
  inputSchema: jsonSchema<{ query: string }>({
    type: "object",
    properties: { query: { type: "string" } },
    required: ["query"],
  }),
  execute: async ({ query }) => {
    asked.push(query);
    return facts[query] ?? "not found";
  },
});

describe("the AI SDK over the bundled model", () => {
  test("generateText() thinks and answers", async () => {
    const result = await generateText({ model: ruminate(model), prompt });
    expect(result.text).toBe("132");
    expect(result.reasoningText).toMatch(/rev/);
    expect(result.finishReason).toBe("stop");
    expect(result.usage.outputTokenDetails.reasoningTokens).toBeGreaterThan(10);
    expect(result.warnings ?? []).toEqual([]);
  });

  test("streamText() streams thoughts and text", async () => {
    const result = streamText({ model: ruminate(model), prompt });
    let text = "";
    let thoughts = "";
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") text += part.text;
      if (part.type === "reasoning-delta") thoughts += part.text;
      if (part.type === "error") throw part.error;
    }
    expect(text).toBe("132");
    expect(thoughts).toBe(await result.reasoningText);
    expect(await result.finishReason).toBe("stop");
  });

  test("a budget of thoughts is kept", async () => {
    const result = await generateText({
      model: ruminate(model),
      prompt,
      providerOptions: { ruminate: { thinkingBudget: 12 } },
    });
    expect(result.usage.outputTokenDetails.reasoningTokens).toBeLessThanOrEqual(16);
    expect(result.finalStep.providerMetadata?.["ruminate"]?.["reasoningEnd"]).toBe("budget");
    const off = await generateText({ model: ruminate(model), prompt, reasoning: "none" });
    expect(off.reasoningText ?? "").toBe("");
  });

  test("a structured output follows its schema, by generateText() and by generateObject()", async () => {
    const schema = z.object({ sum: z.number().int() });
    const { output } = await generateText({ model: ruminate(model), prompt, output: Output.object({ schema }) });
    expect(output).toEqual({ sum: 132 });
    const { object } = await generateObject({ model: ruminate(model), prompt, schema });
    expect(object).toEqual({ sum: 132 });
  });

  test("generateText() runs tools and goes on until the answer", async () => {
    asked.length = 0;
    const result = await generateText({
      model: ruminate(model),
      prompt: "Who is the friend of the owner of the fast boat?",
      tools: { search },
      stopWhen: stepCountIs(5),
    });
    expect(asked).toEqual(["fast boat", "Ned"]);
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "tool-calls", "stop"]);
    expect(result.text).toBe("Dora");
  });

  test("a tool can be forced", async () => {
    const question = { model: ruminate(model), prompt, tools: { search } };
    expect((await generateText(question)).toolCalls).toEqual([]);
    for (const toolChoice of ["required", { type: "tool", toolName: "search" }] as const) {
      const { toolCalls, finishReason } = await generateText({ ...question, toolChoice });
      expect(toolCalls).toMatchObject([{ toolName: "search" }]);
      expect(finishReason).toBe("tool-calls");
    }
  });

  test("streamText() runs tools, too", async () => {
    asked.length = 0;
    const result = streamText({
      model: ruminate(model),
      prompt: "Who is the friend of the owner of the fast boat?",
      tools: { search },
      stopWhen: stepCountIs(5),
    });
    expect(await result.text).toBe("Dora");
    expect(asked).toEqual(["fast boat", "Ned"]);
  });

  test("an abort ends the stream, and the model goes on to the next call", async () => {
    const controller = new AbortController();
    const types: string[] = [];
    const result = streamText({ model: ruminate(model), prompt, abortSignal: controller.signal });
    for await (const part of result.fullStream) {
      types.push(part.type);
      if (part.type === "reasoning-delta") controller.abort();
    }
    expect(types.at(-1)).toBe("abort");
    expect((await generateText({ model: ruminate(model), prompt })).text).toBe("132");
  });

  test("a failure is told to streamText(), which ends", async () => {
    const errors: unknown[] = [];
    const result = streamText({
      model: ruminate(model),
      prompt: "word ".repeat(20_000),
      onError: ({ error }) => void errors.push(error),
    });
    for await (const _ of result.textStream);
    expect(errors).toMatchObject([{ code: "context-full" }]);
  });

  test("an image is refused, with what to do instead", async () => {
    const image = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
    const call = generateText({
      model: ruminate(model),
      messages: [{ role: "user", content: [{ type: "file", data: image, mediaType: "image/png" }] }],
    });
    await expect(call).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("text part") as string,
    });
  });

  test("embed() and embedMany() give vectors of unit length", async () => {
    const embedding = ruminate.embedding(model);
    const { embedding: vector, usage } = await embed({ model: embedding, value: prompt });
    expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
    expect(usage.tokens).toBe(await model.count(prompt));
    const { embeddings } = await embedMany({ model: embedding, values: ["the fast boat", prompt] });
    expect(embeddings).toHaveLength(2);
    expect(embeddings[1]?.[0]).toBeCloseTo(vector[0] ?? 0, 4);
  });

  test("a registry finds it under a name", async () => {
    const local = customProvider({
      languageModels: { nano: ruminate(model) },
      embeddingModels: { nano: ruminate.embedding(model) },
    });
    const registry = createProviderRegistry({ local });
    expect((await generateText({ model: registry.languageModel("local:nano"), prompt })).text).toBe("132");
    const { embedding } = await embed({ model: registry.embeddingModel("local:nano"), value: prompt });
    expect(embedding.length).toBe(256);
  });
});
