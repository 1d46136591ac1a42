import { describe, expect, test } from "vitest";
import { lastPrompt } from "../api/scripted-model.ts";
import { eventsOf, hi, refusal, serving, thinks } from "./serving.ts";

const path = "/v1/chat/completions";
const search = {
  type: "function",
  function: { name: "search", description: "Finds facts", parameters: { type: "object", properties: {} } },
} as const;
const calls = (): string => 'hm\n</think>\nsearch\n{"query": "boat"}';

describe("POST /v1/chat/completions", () => {
  test("answers with text, thoughts and usage", async () => {
    const { post } = serving();
    const { status, body } = await post(path, { ...hi, model: "ruminate-nano" });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.stringMatching(/^chatcmpl-\w{32}$/),
      object: "chat.completion",
      created: expect.any(Number),
      model: "ruminate-nano",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Yes it is.", refusal: null, reasoning_content: "one two" },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: expect.any(Number),
        completion_tokens: 12,
        total_tokens: expect.any(Number),
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 7 },
      },
    });
    expect((await post(path, hi)).body).toMatchObject({
      usage: { prompt_tokens_details: { cached_tokens: expect.toSatisfy((tokens: number) => tokens > 0) } },
    });
  });

  test("streams the same in chunks, the prompt's progress in comments", async () => {
    const { post } = serving();
    const { status, headers, body } = await post(path, { ...hi, stream: true });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(body).toMatch(/^: prompt \d+\/\d+$/m);
    const events = eventsOf(body);
    expect(events.at(-1)).toBe("[DONE]");
    const chunks = events.slice(0, -1) as { choices: { delta: Record<string, string>; finish_reason: unknown }[] }[];
    const joined = (name: string): string => chunks.map(({ choices }) => choices[0]?.delta[name] ?? "").join("");
    // Without the line break that separates the two where they are printed one after the other.
    expect(joined("reasoning_content")).toBe("one two");
    expect(joined("content")).toBe("Yes it is.");
    expect(chunks[0]).toMatchObject({
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta: { role: "assistant" }, finish_reason: null }],
    });
    expect(chunks.at(-1)).toMatchObject({ choices: [{ delta: {}, finish_reason: "stop" }] });
    expect(new Set(chunks.map((chunk) => (chunk as unknown as { id: string }).id)).size).toBe(1);
    expect(chunks.filter((chunk) => "usage" in chunk)).toEqual([]);
  });

  test("ends a stream with the usage where asked", async () => {
    const { post } = serving();
    const { body } = await post(path, { ...hi, stream: true, stream_options: { include_usage: true } });
    const chunks = eventsOf(body).slice(0, -1);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { completion_tokens: 12, completion_tokens_details: { reasoning_tokens: 7 } },
    });
    expect(chunks.slice(0, -1).every((chunk) => (chunk as { usage: unknown }).usage === null)).toBe(true);
  });

  test("gives tool calls back in OpenAI's shape, streamed and not", async () => {
    const { post } = serving(calls);
    const call = {
      id: expect.stringMatching(/^call_/),
      type: "function",
      function: { name: "search", arguments: '{"query":"boat"}' },
    };
    expect((await post(path, { ...hi, tools: [search], tool_choice: "auto" })).body).toMatchObject({
      choices: [{ message: { content: null, tool_calls: [call] }, finish_reason: "tool_calls" }],
    });
    const chunks = eventsOf((await post(path, { ...hi, tools: [search], stream: true })).body);
    expect(chunks).toContainEqual(
      expect.objectContaining({
        choices: [expect.objectContaining({ delta: { tool_calls: [{ index: 0, ...call }] } })],
      }),
    );
    expect(chunks.at(-2)).toMatchObject({ choices: [{ finish_reason: "tool_calls" }] });
    // Not told of, the model can't call it.
    expect((await post(path, { ...hi, tools: [search], tool_choice: "none" })).body).toMatchObject({
      choices: [{ finish_reason: "stop" }],
    });
  });

  test("takes a conversation as OpenAI's clients write it", async () => {
    const { post, engine } = serving();
    const messages = [
      { role: "developer", content: "Be short." },
      {
        role: "user",
        content: [
          { type: "text", text: "one" },
          { type: "text", text: "two" },
        ],
        name: "Ann",
      },
      {
        role: "assistant",
        content: null,
        reasoning_content: "old thoughts",
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "search", arguments: '{"query":"boat"}' } },
          { id: "call_2", type: "function", function: { name: "search", arguments: "" } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "a boat" },
      { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "nothing" }] },
    ];
    expect((await post(path, { messages, tools: [search] })).status).toBe(200);
    const prompt = lastPrompt(engine);
    expect(prompt).toContain("Be short.");
    expect(prompt).toContain("one\ntwo<|assistant|>");
    expect(prompt).toMatch(/search\s+\{"query": ?"boat"\}/);
    expect(prompt).toContain("a boat");
    expect(prompt).toContain("nothing");
    expect(prompt).not.toContain("old thoughts");
  });

  test("samples as asked", async () => {
    const { post, engine } = serving(thinks, { capabilities: { logitBias: true } });
    await post(path, {
      ...hi,
      temperature: 0.3,
      top_p: 0.5,
      top_k: 7,
      min_p: 0.1,
      repeat_penalty: 1.1,
      seed: -1,
      max_completion_tokens: 40,
      stop: ["END", "FIN"],
      logit_bias: { 12: -100, 13: 5 },
      presence_penalty: 0,
      n: 1,
      user: "someone",
      store: false,
      metadata: { any: "thing" },
    });
    expect(engine.calls.at(-1)?.options).toMatchObject({
      sampling: { temperature: 0.3, topP: 0.5, topK: 7, minP: 0.1, repeatPenalty: 1.1, seed: 2 ** 32 - 2 },
      maxTokens: 40,
      stop: expect.arrayContaining(["END", "FIN"]),
      logitBias: new Map([
        [12, -100],
        [13, 5],
      ]),
    });
    await post(path, { ...hi, stop: "END", max_tokens: 30, seed: 5, temperature: null });
    expect(engine.calls.at(-1)?.options).toMatchObject({
      maxTokens: 30,
      sampling: { seed: 5, temperature: 0.8 },
      stop: expect.arrayContaining(["END"]),
    });
  });

  test.each([
    [{ type: "json_object" }, { type: "json" }],
    [
      { type: "json_schema", json_schema: { name: "a", strict: true, schema: { type: "object" } } },
      { type: "json", schema: { type: "object" } },
    ],
    [{ type: "text" }, undefined],
  ])("binds the answer by %j", async (response_format, format) => {
    const { post, engine } = serving((prompt) => (prompt.endsWith("</think>\n") ? "{}" : thinks()), {
      capabilities: { jsonSchema: true },
    });
    expect((await post(path, { ...hi, response_format })).status).toBe(200);
    expect(engine.calls.at(-1)?.options.format).toEqual(format);
  });

  test.each([
    [{ reasoning_effort: "none" }, "off"],
    [{ thinking: { type: "disabled" } }, "off"],
    [{ chat_template_kwargs: { enable_thinking: false } }, "off"],
    [{ reasoning_effort: "high" }, "free"],
    [{ thinking: { type: "enabled" } }, "free"],
    [{ chat_template_kwargs: { enable_thinking: true } }, "free"],
    [{}, "free"],
    [{ reasoning_effort: "minimal" }, 128],
    [{ reasoning_effort: "low" }, 512],
    [{ thinking: { type: "enabled", budget_tokens: 3 } }, 3],
    [{ thinking: { type: "auto", budget_tokens: 0 } }, 0],
  ])("thinks as %j says: %s", async (fields, wanted) => {
    const { post } = serving((prompt) => (/<\/think>\s*$/.test(prompt) ? "Yes." : "hm ".repeat(1000)), {
      window: { size: 4000 },
      context: { size: 4000, kvType: "f16" },
    });
    const { body } = await post(path, { ...hi, ...fields, max_tokens: 700 });
    const spent = { off: 0, free: 700 } as Readonly<Record<string, number>>;
    expect(body).toMatchObject({
      usage: { completion_tokens_details: { reasoning_tokens: typeof wanted === "number" ? wanted : spent[wanted] } },
    });
  });

  test.each([
    [{ messages: undefined }, "messages", "at least one"],
    [{ messages: [] }, "messages", "at least one"],
    [{ messages: ["Hi"] }, "messages[0]", "an object"],
    [{ messages: [{ role: "function", content: "x" }] }, "messages[0].role", "function"],
    [{ messages: [{ role: "user" }] }, "messages[0].content", "text parts"],
    [{ messages: [{ role: "user", content: 5 }] }, "messages[0].content", "5"],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] }] },
      "messages[0].content[0].type",
      "text only",
    ],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id", "not empty"],
    [{ messages: [{ role: "assistant", tool_calls: [{ id: "a" }] }] }, "messages[0].tool_calls[0]", "function"],
    [
      { messages: [{ role: "assistant", tool_calls: [{ id: "a", function: { name: "b", arguments: "{" } }] }] },
      "messages[0].tool_calls[0].function.arguments",
      "JSON",
    ],
    [{ messages: [{ role: "assistant", function_call: {} }] }, "messages[0].function_call", "tool_calls"],
    [{ n: 2 }, "n", "not supported but 1"],
    [{ presence_penalty: 0.5 }, "presence_penalty", "not supported"],
    [{ frequency_penalty: -1 }, "frequency_penalty", "not supported"],
    [{ functions: [{ name: "a" }] }, "functions", "not supported"],
    [{ parallel_tool_calls: false }, "parallel_tool_calls", "not supported"],
    [{ modalities: ["text", "audio"] }, "modalities", "text only"],
    [{ web_search_options: { a: 1 } }, "web_search_options", "not supported"],
    [{ temperature: "hot" }, "temperature", "from 0 to 100"],
    [{ temperature: -1 }, "temperature", "from 0 to 100"],
    [{ top_p: 2 }, "top_p", "from 0 to 1"],
    [{ seed: 1.5 }, "seed", "whole number"],
    [{ max_tokens: -1 }, "max_tokens", "from 0"],
    [{ max_tokens: 3, max_completion_tokens: 4 }, "max_tokens", "different"],
    [{ stop: [""] }, "stop[0]", "not empty"],
    [{ stop: 5 }, "stop", "string"],
    [{ logit_bias: { hello: 1 } }, "logit_bias", "token ids"],
    [{ logit_bias: { 5: 101 } }, "logit_bias[5]", "from -100 to 100"],
    [{ top_logprobs: 3 }, "top_logprobs", "logprobs: true"],
    [{ logprobs: true, top_logprobs: 21 }, "top_logprobs", "from 0 to 20"],
    [{ logprobs: 3 }, "logprobs", "true or false"],
    [{ stream: "yes" }, "stream", "true or false"],
    [{ stream: true, stream_options: 3 }, "stream_options", "an object"],
    [{ response_format: { type: "xml" } }, "response_format.type", "json_object"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema.schema", "JSON schema"],
    [{ reasoning_effort: "extreme" }, "reasoning_effort", "minimal"],
    [{ reasoning_effort: "low", thinking: { type: "enabled" } }, "thinking", "send one"],
    [{ thinking: { type: "maybe" } }, "thinking.type", "enabled"],
    [{ thinking: { type: "enabled", budget_tokens: -1 } }, "thinking.budget_tokens", "from 0"],
    [{ chat_template_kwargs: { mood: "happy" } }, "chat_template_kwargs.mood", "not supported"],
    [{ tools: [{ type: "web_search" }] }, "tools[0]", "function"],
    [{ tools: [{ type: "function", function: {} }] }, "tools[0].function.name", "not empty"],
    [{ tools: [search, search] }, null, "earlier tool"],
    [{ tools: [search], tool_choice: "required" }, null, "grammar"],
    [{ tools: [search], tool_choice: { type: "function", function: { name: "search" } } }, null, "grammar"],
    [{ tool_choice: { type: "allowed_tools" } }, "tool_choice", '"auto"'],
    [{ model: 5 }, "model", "string"],
    [{ logprobs: true }, null, "logprobs"],
    [{ response_format: { type: "json_object" } }, null, "JSON"],
  ])("refuses %j", async (fields, param, message) => {
    const { post, engine } = serving();
    for (const stream of [false, true]) {
      expect(await post(path, { ...hi, stream, ...fields })).toMatchObject(refusal(param, message));
    }
    expect(engine.calls).toEqual([]);
  });

  test("answers 400 for a conversation that no context holds, streamed or not", async () => {
    const { post } = serving();
    const messages = [{ role: "user", content: "word ".repeat(5000) }];
    for (const stream of [false, true]) {
      expect(await post(path, { messages, stream })).toMatchObject({
        status: 400,
        body: { error: { code: "context_length_exceeded", type: "invalid_request_error" } },
      });
    }
  });
});
