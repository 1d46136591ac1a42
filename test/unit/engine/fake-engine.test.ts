import { expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { FakeEngine } from "../../fake-engine.ts";
import { contract, run } from "./contract.ts";

const prompt = [
  { kind: "control", text: "[gMASK]<sop><|user|>\n" },
  { kind: "content", text: "What is 47 + 85?" },
  { kind: "control", text: "<|assistant|>\n<think>\n" },
] as const;
const script = () => "First 7 and 5, then 4 and 8 and the carry.\n</think>\n132";

contract({
  name: "fake",
  create: async () => new FakeEngine({ script, tokenDelayMs: 1 }),
  context: { size: 512, kvType: "f16" },
  prompt,
  controlToken: { text: "<|user|>", id: 4 },
});

test("FakeEngine.crash() rejects what is pending and everything later with crashed", async () => {
  const engine = new FakeEngine({ script });
  engine.crashAfter(2);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const error = await run(engine, prompt).catch((caught: unknown) => caught);
    expect(InferenceError.is(error, "crashed")).toBe(true);
  }
});

test("FakeEngine shows its script the prompt as one text and records each call", async () => {
  const engine = new FakeEngine({
    script: (text) => [text.length > 20 ? "long" : "short", " one"],
  });
  expect((await run(engine, prompt, { maxTokens: 9 })).text).toBe("long one");
  expect(engine.calls).toHaveLength(1);
  expect(engine.calls[0]?.options.maxTokens).toBe(9);
});

test("FakeEngine counts what a reply left in the cache", async () => {
  const engine = new FakeEngine({ script: () => "It is 132." });
  const first = await run(engine, prompt);
  const reply = { kind: "content", text: "It is 132." } as const;
  const next = await run(engine, [...prompt, reply, { kind: "control", text: "<|user|>" }]);
  expect(next.end.usage.cached).toBe(first.end.usage.prompt + first.end.usage.completion);
});
