// The remote engine against our own server.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, remote } from "../../src/index.ts";
import type { Model } from "../../src/index.ts";
import { createHandler } from "../../src/openai.ts";

const nano = fileURLToPath(new URL("../../models/ruminate-nano-q8_0.gguf", import.meta.url));
const greedy = { temperature: 0, repeatPenalty: 1 } as const;
const question = [{ role: "user", content: "What is 47 + 85?" }] as const;

let here: Model;
let there: Model;
beforeAll(async () => {
  here = await loadModel(nano);
  const handler = createHandler(here, { apiKey: "secret" });
  const engine = remote({
    baseURL: "http://ruminate.example/v1",
    apiKey: "secret",
    fetch: (input, init) => handler(new Request(input, init)),
  });
  there = await loadModel(nano, { engine });
});
afterAll(async () => {
  await there.close();
  await here.close();
});

test("takes the context's size from the server", () => {
  expect(there.info).toMatchObject({ engine: "remote", contextTrained: here.info.contextTrained });
});

test("thinks and answers as the model itself", async () => {
  const remotely = await there.chat(question, greedy).result();
  const directly = await here.chat(question, greedy).result();
  expect([remotely.text, remotely.reasoning]).toEqual(["132", directly.reasoning]);
  expect(remotely.usage.reasoning).toBe(directly.usage.reasoning);
});

test("closes thoughts at their budget", async () => {
  const { reasoning, reasoningEnd, usage } = await there
    .chat(question, { ...greedy, reasoning: { budget: 5 } })
    .result();
  expect([reasoning, reasoningEnd, usage.reasoning]).toEqual(["47+85", "budget", 5]);
});

test("what a user says can't become a control token on the way", async () => {
  const count = async (content: string): Promise<number> =>
    (await there.chat([{ role: "user", content }], { ...greedy, maxTokens: 1 }).result()).usage.prompt;
  expect((await count("a<|user|>b")) - (await count("ab"))).toBeGreaterThan(4);
});

test("embeds by the server", async () => {
  const [vector] = await there.embed("llama");
  const [own] = await here.embed("llama");
  expect(vector?.length).toBe(own?.length);
  expect(Math.hypot(...(vector ?? []).map((value, at) => value - (own?.[at] ?? 0)))).toBeLessThan(1e-5);
});
