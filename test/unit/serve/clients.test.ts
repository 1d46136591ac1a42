// The clients that people have, over a socket, with the bundled model.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { OpenAICompatibleProvider } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Started } from "../cli/start-process.ts";
import { startProgram } from "../cli/start-process.ts";

const key = "a key";
const model = "ruminate-nano";
const question = "What is 47 + 85?";
const messages = [{ role: "user" as const, content: question }];
const schema = {
  type: "object" as const,
  properties: { sum: { type: "integer" as const } },
  required: ["sum"],
};
const riddle = "Who is the friend of the owner of the fast boat?";
const facts: Readonly<Record<string, string>> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };
const queries = {
  type: "object" as const,
  properties: { query: { type: "string" as const } },
  required: ["query"],
};
/** Never ends by itself: the tokens that end a reply are banned. */
const endless = { logit_bias: { 1012: -100, 1019: -100, 1021: -100 }, reasoning_effort: "none" } as const;

let program: Started;
let baseURL: string;
beforeAll(async () => {
  program = startProgram("node", ["serve", "--port", "0", "--api-key", key, "--queue", "0"]);
  await program.said("/v1\n");
  baseURL = /http:\S+/.exec(program.out())?.[0] ?? "";
});
afterAll(async () => {
  program.signal("SIGINT");
  await program.code;
});

const openai = (): OpenAI => new OpenAI({ baseURL, apiKey: key, maxRetries: 20 });

describe("the openai client", () => {
  test("lists the model, and is told of a wrong key and a wrong model in its own errors", async () => {
    const { data } = await openai().models.list();
    expect(data.map(({ id }) => id)).toEqual([model]);
    const stranger = new OpenAI({ baseURL, apiKey: "another", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(openai().models.retrieve("gpt-9")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const refused = openai().chat.completions.create({ model, messages, n: 2 });
    await expect(refused).rejects.toMatchObject({ status: 400, param: "n", type: "invalid_request_error" });
  });

  test("chats", async () => {
    const completion = await openai().chat.completions.create({ model, messages, temperature: 0 });
    const [choice] = completion.choices;
    expect(choice).toMatchObject({ message: { content: "132" }, finish_reason: "stop" });
    expect(choice?.message).toMatchObject({ reasoning_content: expect.stringContaining("7+5") });
    expect(completion.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(20);
    const again = await openai().chat.completions.create({ model, messages, temperature: 0 });
    expect(again.usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(0);
  });

  test("streams a chat, its thoughts and its cost", async () => {
    const stream = await openai().chat.completions.create({
      model,
      messages,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let thoughts = "";
    let usage: unknown;
    for await (const chunk of stream) {
      const delta: { content?: string | null; reasoning_content?: string } = chunk.choices[0]?.delta ?? {};
      text += delta.content ?? "";
      thoughts += delta.reasoning_content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe("132");
    expect(thoughts).toContain("7+5");
    expect(usage).toMatchObject({ prompt_tokens: 18 });
    const helper = openai().chat.completions.stream({ model, messages, temperature: 0 });
    expect(await helper.finalContent()).toBe("132");
  });

  test("has tools called, and hands their results back", async () => {
    const runner = openai().chat.completions.runTools({
      model,
      temperature: 0,
      messages: [{ role: "user", content: riddle }],
      tools: [
        {
          type: "function",
          function: {
            name: "search",
            description: "Search for a fact",
            parameters: queries,
            parse: (text: string) => JSON.parse(text) as { query: string },
            function: ({ query }: { query: string }) => facts[query] ?? "not found",
          },
        },
      ],
    });
    expect(await runner.finalContent()).toContain("Dora");
    const results = runner.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
    expect(results).toEqual(Object.values(facts));
  });

  test("gets JSON by a schema, and is told of a schema that is none", async () => {
    const ask = (schema: object) =>
      openai().chat.completions.create({
        model,
        messages,
        temperature: 0,
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { ...schema } } },
      });
    const { choices } = await ask(schema);
    expect(JSON.parse(choices[0]?.message.content ?? "")).toEqual({ sum: 132 });
    await expect(ask({ type: "nonsense" })).rejects.toMatchObject({ status: 400, code: "invalid_grammar" });
  });

  test("gets logprobs of text and thoughts", async () => {
    const { choices } = await openai().chat.completions.create({
      model,
      messages,
      temperature: 0,
      logprobs: true,
      top_logprobs: 2,
    });
    const content = choices[0]?.logprobs?.content ?? [];
    expect(content.map(({ token }) => token).join("")).toContain("132");
    expect(content.every(({ logprob, top_logprobs: top }) => logprob <= 0 && top.length === 2)).toBe(true);
    expect(choices[0]?.logprobs).toMatchObject({ reasoning_content: expect.arrayContaining([expect.anything()]) });
  });

  test("completes raw prompts, streamed and not", async () => {
    const prompt = `[gMASK]<sop><|user|>\n${question}<|assistant|>\n<think>\n`;
    const { choices } = await openai().completions.create({ model, prompt, temperature: 0, logprobs: 1 });
    expect(choices[0]).toMatchObject({ finish_reason: "stop", text: expect.stringMatching(/<\/think>\n132$/) });
    const { tokens = [], text_offset: offsets = [] } = choices[0]?.logprobs ?? {};
    expect(tokens.map((_token, index) => tokens.slice(0, index).join("").length)).toEqual(offsets);
    let text = "";
    for await (const chunk of await openai().completions.create({ model, prompt, temperature: 0, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    expect(text).toBe(choices[0]?.text);
  });

  test("embeds, in base64 as it asks by itself and in floats", async () => {
    const input = ["a fast boat", "47 + 85"];
    const packed = await openai().embeddings.create({ model, input });
    const plain = await openai().embeddings.create({ model, input, encoding_format: "float" });
    const [first = [], second = []] = packed.data.map(({ embedding }) => embedding);
    expect(Math.hypot(...first)).toBeCloseTo(1, 4);
    expect(first).not.toEqual(second);
    expect(plain.data[0]?.embedding.length).toBe(first.length);
    expect(plain.data[0]?.embedding[0]).toBeCloseTo(first[0] ?? NaN, 6);
    expect(packed.usage.prompt_tokens).toBeGreaterThan(2);
  });

  test("stops a stream by break and a request by abort, and the next one is let in", async () => {
    const stream = await openai().chat.completions.create({ model, messages, ...endless, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const controller = new AbortController();
    // Let in, although nobody may wait: the one before was stopped. The client tries again at 429.
    const whole = openai().chat.completions.create({ model, messages, ...endless }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(whole).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    const next = await openai().chat.completions.create({ model, messages, temperature: 0 });
    expect(next.choices[0]?.message.content).toBe("132");
  });
});

describe("the AI SDK", () => {
  /** Made when the server listens. */
  const provider = (): OpenAICompatibleProvider =>
    createOpenAICompatible({
      name: "ruminate",
      baseURL,
      apiKey: key,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const asked = { temperature: 0, maxRetries: 20 } as const;

  test("generates text with its thoughts", async () => {
    const { text, reasoningText, usage, finishReason } = await generateText({
      model: provider()(model),
      prompt: question,
      ...asked,
    });
    expect({ text, finishReason }).toEqual({ text: "132", finishReason: "stop" });
    expect(reasoningText).toContain("7+5");
    expect(usage.inputTokens).toBe(18);
  });

  test("streams text and thoughts apart", async () => {
    const result = streamText({ model: provider()(model), prompt: question, ...asked });
    const seen = new Set<string>();
    let text = "";
    for await (const part of result.fullStream) {
      seen.add(part.type);
      if (part.type === "text-delta") text += part.text;
    }
    expect(text).toBe("132");
    expect([...seen]).toEqual(expect.arrayContaining(["reasoning-start", "reasoning-delta", "text-delta", "finish"]));
    expect(await result.reasoningText).toContain("7+5");
  });

  test("runs a loop of tools, streamed", async () => {
    const asks: string[] = [];
    const result = streamText({
      model: provider()(model),
      prompt: riddle,
      tools: {
        search: tool({
          description: "Search for a fact",
          inputSchema: jsonSchema<{ query: string }>(queries),
          execute: async ({ query }) => {
            asks.push(query);
            return facts[query] ?? "not found";
          },
        }),
      },
      stopWhen: stepCountIs(5),
      ...asked,
    });
    expect(await result.text).toContain("Dora");
    expect(asks).toEqual(Object.keys(facts));
  });

  test("generates an object by its schema", async () => {
    const { output } = await generateText({
      model: provider()(model),
      output: Output.object({ schema: jsonSchema<{ sum: number }>(schema) }),
      prompt: question,
      ...asked,
    });
    expect(output).toEqual({ sum: 132 });
  });

  test("embeds", async () => {
    const { embeddings } = await embedMany({
      model: provider().embeddingModel(model),
      values: ["a boat", "a bird"],
      maxRetries: 20,
    });
    expect(embeddings.map((vector) => Math.round(Math.hypot(...vector) * 1000))).toEqual([1000, 1000]);
  });
});
