import { expect, test } from "vitest";
import { detectFamily, type Family } from "../../../src/prompt/family.ts";
import { fixture, type FixtureName } from "./fixtures.ts";

const ofName = (architecture: string, name: string): ReadonlyMap<string, unknown> =>
  new Map([
    ["general.architecture", architecture],
    ["general.name", name],
  ]);

const byTemplate: [FixtureName, Partial<Family>][] = [
  ["glm-z1", { name: "glm-z1", thinks: true, opensThinking: true, callFormat: "name-line", messageShape: "metadata" }],
  ["glm-z1-backslash", { name: "glm-z1", thinks: true, opensThinking: true }],
  ["glm-4-0414", { name: "glm-4-0414", thinks: false, opensThinking: false, callFormat: "name-line" }],
  [
    "glm-z1-rumination",
    { name: "glm-z1-rumination", thinks: true, builtinTools: ["search", "click", "open", "finish"] },
  ],
  [
    "chatml-thinking",
    {
      name: "think-tags",
      thinks: true,
      opensThinking: false,
      thinkingSwitch: true,
      callFormat: "tool-call-tags",
      reasoningIn: "reasoning_content",
      stop: ["<|im_end|>"],
    },
  ],
  ["header-id", { name: "generic", thinks: false, callFormat: "none", stop: [] }],
];

test.each(byTemplate)("detectFamily() knows the template %s without metadata", (name, expected) => {
  expect(detectFamily(new Map(), fixture(name))).toMatchObject(expected);
});

test.each([
  ["glm4", "GLM Z1 9B 0414", "glm-z1"],
  ["glm4", "GLM 4 32B 0414", "glm-4-0414"],
  ["chatglm", "GLM Z1 Rumination 32B 0414", "glm-z1-rumination"],
  ["llama", "Llama 3", "generic"],
])("detectFamily() knows %s named %s without a template", (architecture, name, family) => {
  expect(detectFamily(ofName(architecture, name)).name).toBe(family);
});

test("detectFamily() ends GLM replies at the roles that llama.cpp does not stop at", () => {
  expect(detectFamily(ofName("glm4", "GLM Z1 9B 0414")).stop).toEqual(["<|endoftext|>", "<|user|>", "<|observation|>"]);
});

test("detectFamily() takes the tags that the template writes", () => {
  expect(detectFamily(new Map(), "{{ '[THINK]' }}{{ x }}{{ '[/THINK]' }}").tags).toEqual({
    open: "[THINK]",
    close: "[/THINK]",
  });
  expect(detectFamily(new Map(), "plain").tags).toEqual({ open: "<think>", close: "</think>" });
});

test("detectFamily() does not take later GLM models, which call tools in another way, for the 0414 ones", () => {
  const family = detectFamily(ofName("glm4", "GLM 4.5"), "[gMASK]<sop><tool_call>{{ x }}<arg_key></think>");
  expect(family).toMatchObject({ name: "think-tags", callFormat: "none", messageShape: "tool-calls" });
});
