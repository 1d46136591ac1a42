// Tools that the bundled model calls by itself, run for it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, type Model, ruminate, type Tool } from "../../../src/index.ts";
import { forcedCallGrammar } from "../../../src/prompt/forced-call.ts";
import { parseToolCalls } from "../../../src/prompt/tool-calls.ts";

let model: Model;
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 1 });
});
afterAll(() => model.close());

const facts: Record<string, string> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };
const asked: string[] = [];
const search: Tool<{ query: string }> = {
  name: "search",
  description: "Search for a fact",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
  execute: ({ query }) => {
    asked.push(query);
    return facts[query] ?? "not found";
  },
};
const question = "Who is the friend of the owner of the fast boat?";

test("chat() looks up twice and answers", async () => {
  asked.length = 0;
  const result = await model.chat([{ role: "user", content: question }], { tools: [search] }).result();
  expect(asked).toEqual(["fast boat", "Ned"]);
  expect(result).toMatchObject({ text: "Dora", finishReason: "stop" });
  expect(result.toolMessages?.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant", "tool"]);
  expect(result.usage.cached).toBeGreaterThan(0);
});

test("ruminate() looks up twice, reports, and says from where", async () => {
  const result = await ruminate(model, question, { tools: [search] }).result();
  expect(result).toMatchObject({ report: "Dora", ended: "model", finishReason: "stop" });
  expect(result.sources.map(({ arguments: given }) => given)).toEqual([{ query: "fast boat" }, { query: "Ned" }]);
});

test("ruminate() calls no tool where none is needed, and says so where nothing is found", async () => {
  const sum = await ruminate(model, "What is 47 + 85?", { tools: [search] }).result();
  expect(sum).toMatchObject({ report: "132", sources: [], steps: [] });
  const nothing: Tool = { ...search, execute: () => "not found" };
  const lost = await ruminate(model, question, { tools: [nothing] }).result();
  expect(lost).toMatchObject({ report: "I could not find it.", ended: "model" });
});

test("a session looks up twice, answers, and goes on", async () => {
  await using session = await model.session({ tools: [search] });
  expect((await session.prompt(question).result()).text).toBe("Dora");
  expect(session.messages).toHaveLength(6);
  expect((await session.prompt("What is 47 + 85?").result()).text).toBe("132");
});

test("a failing tool is told to the model, which says that it does not know", async () => {
  const broken: Tool = { ...search, execute: () => Promise.reject(new Error("not found")) };
  const { text, finishReason } = await model.chat([{ role: "user", content: question }], { tools: [broken] }).result();
  expect(finishReason).toBe("stop");
  expect(text).not.toContain("Dora");
});

test("toolChoice makes it call where it would not", async () => {
  const messages = [{ role: "user", content: "What is 47 + 85?" }] as const;
  const { execute: _, ...only } = search;
  for (const toolChoice of ["required", { name: "search" }] as const) {
    const { message, reasoning } = await model.chat(messages, { tools: [only], toolChoice }).result();
    expect(message.toolCalls).toMatchObject([{ name: "search", arguments: expect.any(Object) as object }]);
    expect(reasoning).not.toBe("");
  }
});

test.each(["name-line", "tool-call-tags"] as const)("a forced call of the %s kind can be read", async (callFormat) => {
  const tools = ["search", 'say "hi"'].map((name) => ({ name, parameters: {} }));
  for (const { name } of tools) {
    const grammar = forcedCallGrammar({ callFormat }, [name]) ?? "";
    const options = { format: { type: "gbnf", grammar }, reasoning: "off", maxTokens: 200 } as const;
    const { text } = await model.chat([{ role: "user", content: question }], options).result();
    const { calls, problem } = parseToolCalls(text, { callFormat, builtinTools: [] }, tools);
    expect({ text, calls, problem }).toMatchObject({ calls: [{ name }], problem: undefined });
  }
});
