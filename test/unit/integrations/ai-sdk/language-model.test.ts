import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../../src/errors.ts";
import { ruminate } from "../../../../src/ai-sdk.ts";
import { lastPrompt, scriptedModel } from "../../api/scripted-model.ts";
import { call, collect, reasonOf, user } from "./call.ts";

const thinks = (): string => "one two\n</think>\nYes.";
const search: LanguageModelV4FunctionTool = { type: "function", name: "search", inputSchema: { type: "object" } };
const callsTool = (): string => 'look\n</think>\nsearch\n{"query": "Ned"}';

describe("ruminate()", () => {
  test("gives a language model that says what it is", () => {
    const { model } = scriptedModel(thinks);
    const language = ruminate(model);
    expect(language).toMatchObject({ specificationVersion: "v4", provider: "ruminate", modelId: "ruminate-nano" });
    expect(language.supportedUrls).toEqual({});
    expect(ruminate(model, { modelId: "mine" }).modelId).toBe("mine");
  });
});

describe("doGenerate()", () => {
  test("gives thoughts and text apart, and how it ended", async () => {
    const { model, engine } = scriptedModel(thinks);
    const result = await ruminate(model, { modelId: "mine" }).doGenerate(call());
    expect(lastPrompt(engine)).toBe("[gMASK]<sop><|user|>\nHi<|assistant|>\n<think>\n");
    expect(result.content).toEqual([
      { type: "reasoning", text: "one two" },
      { type: "text", text: "Yes." },
    ]);
    expect(result.finishReason).toEqual({ unified: "stop", raw: "stop" });
    expect(result.warnings).toEqual([]);
    expect(result.response).toMatchObject({ modelId: "mine", timestamp: expect.any(Date) as Date });
    expect(result.providerMetadata?.["ruminate"]).toMatchObject({ reasoningEnd: "model", timings: { loadMs: 5 } });
  });

  test("counts tokens from the cache, and those of thoughts, apart", async () => {
    const { model } = scriptedModel(thinks);
    const language = ruminate(model);
    const first = await language.doGenerate(call());
    const { usage } = await language.doGenerate(call());
    const { total = 0, cacheRead = 0 } = usage.inputTokens;
    expect(first.usage.inputTokens).toEqual({ total, noCache: total, cacheRead: 0, cacheWrite: undefined });
    expect(total).toBeGreaterThan(0);
    expect(cacheRead).toBe(total - 1);
    expect(usage.inputTokens.noCache).toBe(1);
    const { text = 0, reasoning = 0 } = usage.outputTokens;
    expect(text).toBeGreaterThan(0);
    expect(reasoning).toBeGreaterThan(0);
    expect(usage.outputTokens.total).toBe(text + reasoning);
  });

  test("passes on what binds the run, to the engine", async () => {
    const { model, engine } = scriptedModel(() => "{}", { capabilities: { jsonSchema: true } });
    const schema = { type: "object" } as const;
    const { finishReason, warnings } = await ruminate(model).doGenerate(
      call({
        maxOutputTokens: 1,
        temperature: 0.5,
        topP: 0.8,
        topK: 3,
        seed: 11,
        stopSequences: ["END"],
        responseFormat: { type: "json", schema, name: "answer" },
        reasoning: "none",
        frequencyPenalty: 1,
      }),
    );
    expect(finishReason).toEqual({ unified: "length", raw: "length" });
    expect(warnings).toMatchObject([{ type: "unsupported", feature: "frequencyPenalty" }]);
    const { options } = engine.calls.at(-1) ?? {};
    expect(options).toMatchObject({ maxTokens: 1, format: { type: "json", schema } });
    expect(options?.sampling).toMatchObject({ temperature: 0.5, topP: 0.8, topK: 3, seed: 11 });
    expect(options?.stop).toContain("END");
  });

  test("bounds the thoughts by providerOptions.ruminate.thinkingBudget", async () => {
    const { model } = scriptedModel((prompt) => (prompt.includes("</think>") ? "Yes." : "a b c d e f g h"));
    const options = { providerOptions: { ruminate: { thinkingBudget: 3 } } };
    const result = await ruminate(model).doGenerate(call(options));
    expect(result.providerMetadata?.["ruminate"]?.["reasoningEnd"]).toBe("budget");
    expect(result.content.at(-1)).toEqual({ type: "text", text: "Yes." });
  });

  test("gives tool calls with their input as JSON, and reads their results", async () => {
    const { model, engine } = scriptedModel(callsTool);
    const language = ruminate(model);
    const { content, finishReason } = await language.doGenerate(call({ tools: [search] }));
    expect(finishReason).toEqual({ unified: "tool-calls", raw: "tool-calls" });
    expect(content).toEqual([
      { type: "reasoning", text: "look" },
      { type: "tool-call", toolCallId: expect.any(String) as string, toolName: "search", input: '{"query":"Ned"}' },
    ]);
    engine.script(thinks);
    const toolCallId = "1";
    const prompt = [
      ...user("Hi"),
      {
        role: "assistant" as const,
        content: [{ type: "tool-call" as const, toolCallId, toolName: "search", input: { query: "Ned" } }],
      },
      {
        role: "tool" as const,
        content: [
          {
            type: "tool-result" as const,
            toolCallId,
            toolName: "search",
            output: { type: "json" as const, value: { friend: "Dora" } },
          },
        ],
      },
    ];
    await language.doGenerate(call({ prompt, tools: [search] }));
    expect(lastPrompt(engine)).toContain(
      '<|assistant|>search\n{"query": "Ned"}<|observation|>\n{"friend":"Dora"}<|assistant|>',
    );
  });

  test("lets errors of the model through", async () => {
    const { model } = scriptedModel(thinks, { contextTrained: 16, largest: 16 });
    const long = reasonOf(ruminate(model).doGenerate(call({ prompt: user("word ".repeat(500)) })));
    expect(InferenceError.is(await long, "context-full")).toBe(true);
    expect(await reasonOf(ruminate(model).doGenerate(call({ topP: 7 })))).toBeInstanceOf(RangeError);
    const wrong = call({ providerOptions: { ruminate: { keepReasoning: "some" } } });
    expect(await reasonOf(ruminate(model).doGenerate(wrong))).toBeInstanceOf(TypeError);
    await model.close();
    expect(InferenceError.is(await reasonOf(ruminate(model).doGenerate(call())), "closed")).toBe(true);
  });

  test("stops when it is aborted, with the signal's reason", async () => {
    const { model, engine } = scriptedModel(() => "word ".repeat(400), { tokenDelayMs: 1 });
    const controller = new AbortController();
    const run = reasonOf(ruminate(model).doGenerate(call({ abortSignal: controller.signal })));
    await until(() => engine.calls.length > 0);
    controller.abort(new Error("enough"));
    expect(await run).toMatchObject({ message: "enough" });
    expect((await ruminate(model).doGenerate(call({ maxOutputTokens: 1 }))).finishReason.unified).toBe("length");
  });
});

describe("doStream()", () => {
  test("streams thoughts and text in blocks that begin and end", async () => {
    const { model } = scriptedModel(thinks);
    const { stream } = await ruminate(model, { modelId: "mine" }).doStream(call({ presencePenalty: 1 }));
    const parts = await collect(stream);
    expect(parts[0]).toMatchObject({ type: "stream-start", warnings: [{ feature: "presencePenalty" }] });
    expect(parts[1]).toMatchObject({ type: "response-metadata", modelId: "mine" });
    expect(
      parts.slice(2, -1).map((part) => [part.type, "id" in part && part.id, "delta" in part && part.delta]),
    ).toEqual([
      ["reasoning-start", "0", false],
      ["reasoning-delta", "0", "one"],
      ["reasoning-delta", "0", " two"],
      ["reasoning-end", "0", false],
      ["text-start", "1", false],
      ["text-delta", "1", "Yes"],
      ["text-delta", "1", "."],
      ["text-end", "1", false],
    ]);
    expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "stop" } });
  });

  test("begins no block that is empty", async () => {
    const { model } = scriptedModel(() => "\n</think>\nYes.");
    const { stream } = await ruminate(model).doStream(call());
    expect((await collect(stream)).filter(({ type }) => type.startsWith("reasoning"))).toEqual([]);
  });

  test("streams a tool call after its input", async () => {
    const { model } = scriptedModel(callsTool);
    const { stream } = await ruminate(model).doStream(call({ tools: [search] }));
    const parts = (await collect(stream)).filter(({ type }) => type.startsWith("tool-"));
    const [first] = parts;
    const id = first !== undefined && "id" in first ? first.id : "";
    expect(id).not.toBe("");
    expect(parts).toEqual([
      { type: "tool-input-start", id, toolName: "search" },
      { type: "tool-input-delta", id, delta: '{"query":"Ned"}' },
      { type: "tool-input-end", id },
      { type: "tool-call", toolCallId: id, toolName: "search", input: '{"query":"Ned"}' },
    ]);
  });

  test("streams the model's own parts, progress included, where raw chunks are asked for", async () => {
    const { model } = scriptedModel(thinks);
    const { stream } = await ruminate(model).doStream(call({ includeRawChunks: true }));
    const raw = (await collect(stream)).flatMap((part) => (part.type === "raw" ? [part.rawValue] : []));
    expect(raw[0]).toMatchObject({ type: "prefill" });
    expect(raw.at(-1)).toMatchObject({ type: "finish", result: { text: "Yes." } });
  });

  test("gives a failure as an error part, and ends", async () => {
    const { model, engine } = scriptedModel(thinks);
    engine.crashAfter(2);
    const parts = await collect((await ruminate(model).doStream(call())).stream);
    expect(parts.at(-2)).toMatchObject({ type: "error", error: { code: "crashed" } });
    expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "error" } });
  });

  test("fails with the signal's reason when it is aborted", async () => {
    const { model } = scriptedModel(() => "word ".repeat(400), { tokenDelayMs: 1 });
    const controller = new AbortController();
    const { stream } = await ruminate(model).doStream(call({ abortSignal: controller.signal }));
    const reader = stream.getReader();
    const types: string[] = [];
    const error = await reasonOf(
      (async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          types.push(value.type);
          if (value.type === "reasoning-delta") controller.abort();
        }
      })(),
    );
    expect(error).toBe(controller.signal.reason);
    expect(types).not.toContain("error");
  });

  test("runs nothing before it is read, and stops the run when it is cancelled", async () => {
    const { model, engine } = scriptedModel(() => "word ".repeat(400), { tokenDelayMs: 1 });
    const { stream } = await ruminate(model).doStream(call());
    const reader = stream.getReader();
    expect((await reader.read()).value?.type).toBe("stream-start");
    expect((await reader.read()).value?.type).toBe("response-metadata");
    expect(engine.calls).toHaveLength(0);
    expect((await reader.read()).value?.type).toBe("reasoning-start");
    expect((await reader.read()).value?.type).toBe("reasoning-delta");
    const pending = reader.read();
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(engine.cancelled).toBe(1);
    expect((await ruminate(model).doGenerate(call({ maxOutputTokens: 1 }))).finishReason.unified).toBe("length");
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
