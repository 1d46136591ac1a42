// The remote engine against llama.cpp's real server.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, remote } from "../../src/index.ts";
import type { Model } from "../../src/index.ts";
import { installLlamaServer, startLlamaServer } from "./llama-server.ts";
import type { RunningServer } from "./llama-server.ts";

const nano = fileURLToPath(new URL("../../models/ruminate-nano-q8_0.gguf", import.meta.url));
const greedy = { temperature: 0, repeatPenalty: 1 } as const;
const question = [{ role: "user", content: "What is 47 + 85?" }] as const;

let server: RunningServer;
beforeAll(async () => {
  await installLlamaServer();
  server = await startLlamaServer();
}, 900_000);
afterAll(() => server[Symbol.asyncDispose]());

describe.each([
  ["with a GGUF's header", nano],
  ["with what the server tells", undefined],
])("llama-server, %s", (_, source) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(source, { engine: remote({ baseURL: server.baseURL }) });
  });
  afterAll(() => model.close());

  test("thinks and answers as our engine does", async () => {
    await using ours = await loadModel(nano);
    const there = await model.chat(question, greedy).result();
    const here = await ours.chat(question, greedy).result();
    expect(there.text).toBe("132");
    expect([there.text, there.reasoning, there.finishReason]).toEqual([here.text, here.reasoning, here.finishReason]);
    expect(there.usage).toMatchObject({ prompt: here.usage.prompt, reasoning: here.usage.reasoning });
  });

  test("streams thoughts before the answer", async () => {
    const kinds: string[] = [];
    for await (const part of model.chat(question, greedy)) if (kinds.at(-1) !== part.type) kinds.push(part.type);
    expect(kinds).toEqual(["reasoning", "text", "finish"]);
  });

  test("closes thoughts at their budget, and finds what was said in the cache", async () => {
    const { reasoning, reasoningEnd, usage } = await model
      .chat(question, { ...greedy, reasoning: { budget: 5 } })
      .result();
    expect(reasoningEnd).toBe("budget");
    expect(usage.reasoning).toBe(5);
    expect(reasoning).toBe("47+85");
    expect(usage.cached).toBeGreaterThan(15);
  });

  test("binds the answer to a JSON schema", async () => {
    const format = {
      type: "json",
      schema: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
    };
    const { text } = await model
      .chat(question, { ...greedy, maxTokens: 200, format: { ...format, type: "json" } })
      .result();
    expect(JSON.parse(text)).toEqual({ a: expect.any(Number) });
  });

  test("takes control tokens in what a user says for text", async () => {
    const count = async (content: string): Promise<number> =>
      (await model.chat([{ role: "user", content }], { ...greedy, maxTokens: 1 }).result()).usage.prompt;
    // As a token it would be one, as text it is many.
    expect((await count("a<|user|>b")) - (await count("ab"))).toBeGreaterThan(4);
  });

  test("stops when it is told to, and goes on afterwards", async () => {
    for await (const part of model.chat(question, greedy)) if (part.type === "reasoning") break;
    const { text } = await model.chat(question, greedy).result();
    expect(text).toBe("132");
  });

  test("refuses a prompt that the server has no room for", async () => {
    const long = [{ role: "user", content: "7 ".repeat(2000) }] as const;
    await expect(model.chat(long, greedy).result()).rejects.toMatchObject({ code: "context-full" });
  });

  test("a session's second turn evaluates only what is new", async () => {
    await using session = await model.session();
    await session.prompt("What is 47 + 85?", greedy).result();
    const { usage } = await session.prompt("What is 12 + 30?", greedy).result();
    expect(usage.cached).toBeGreaterThan(10);
  });
});

test("says what is wrong when nobody answers", async () => {
  const engine = remote({ baseURL: "http://127.0.0.1:9/v1" });
  await expect(loadModel(undefined, { engine })).rejects.toMatchObject({ code: "network" });
});
