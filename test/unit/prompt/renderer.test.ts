import { expect, test } from "vitest";
import type { Message } from "../../../src/contract.ts";
import { createPromptRenderer, segmentsToText } from "../../../src/prompt/renderer.ts";
import { beginToken, controlTokens, fixture, rendererFor } from "./fixtures.ts";

const ask = (content: string): Message[] => [{ role: "user", content }];
const rendered = (template: string, content: string): string =>
  segmentsToText(rendererFor(template).render(ask(content)));

test("render() writes ChatML with thoughts in the template's own field, and lets it prune them", () => {
  const messages: Message[] = [
    { role: "user", content: "Q1" },
    { role: "assistant", content: "A1", reasoning: "old" },
    { role: "user", content: "Q2" },
    {
      role: "assistant",
      content: "",
      reasoning: "new",
      toolCalls: [{ id: "1", name: "f", arguments: { a: "<|im_end|>" } }],
    },
    { role: "tool", toolCallId: "1", content: "R" },
  ];
  expect(segmentsToText(rendererFor(fixture("chatml-thinking")).render(messages))).toBe(
    "<|im_start|>user\nQ1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n<|im_start|>user\nQ2<|im_end|>\n" +
      '<|im_start|>assistant\n<think>\nnew\n</think>\n\n\n<tool_call>\n{"name": "f", "arguments": {"a": "<|im_end|>"}}\n</tool_call><|im_end|>\n' +
      "<|im_start|>user\n<tool_response>\nR\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
  );
});

test("render() switches a ChatML template's thinking off", () => {
  const segments = rendererFor(fixture("chatml-thinking")).render(ask("Q"), { thinking: false });
  expect(segmentsToText(segments)).toBe(
    "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
  );
});

test("render() prints the begin token, and the date only when it is given a clock", () => {
  const options = { template: fixture("header-id"), metadata: beginToken, controlTokens };
  const day = (now?: () => Date): string =>
    segmentsToText(
      createPromptRenderer({ ...options, ...(now ? { now } : {}) }).render(ask("Q"), { addGenerationPrompt: false }),
    );
  expect(day()).toBe(
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday: 26 Jul 2024\n\n<|eot_id|>" +
      "<|start_header_id|>user<|end_header_id|>\n\nQ<|eot_id|>",
  );
  expect(day(() => new Date(2025, 0, 9))).toContain("Today: 09 Jan 2025\n");
});

test("render() gives a template's refusal in its own words", () => {
  const tools = [{ name: "f", parameters: {} }];
  expect(() => rendererFor(fixture("header-id")).render(ask("Q"), { tools })).toThrow(
    expect.objectContaining({ code: "template", message: expect.stringContaining("This model calls no tools") }),
  );
});

test("createPromptRenderer() does not look at a broken template before it is needed", () => {
  const renderer = rendererFor("{% if");
  expect(() => renderer.render(ask("Q"))).toThrow(expect.objectContaining({ code: "template" }));
});

test("createPromptRenderer() reads its control tokens once, so an iterator will do", () => {
  const tokens = new Set(["<|user|>"]).values();
  const renderer = createPromptRenderer({
    template: "{{ messages[0].content[:10] }}",
    metadata: new Map(),
    controlTokens: tokens,
  });
  const first = renderer.render(ask("<|user|> and so on"));
  expect(first).toEqual([
    { kind: "content", text: "<" },
    { kind: "control", text: "|user|> " },
  ]);
  expect(renderer.render(ask("<|user|> and so on"))).toEqual(first);
});

// Each looks into the text, so that a name in its place would show.
test.each([
  ["upper case", "{{ messages[0].content | upper }}", "Tea at Five, please", "TEA AT FIVE, PLEASE"],
  ["a slice", "{{ messages[0].content[:7] }}|", "Tea at Five, please", "Tea at |"],
  ["a slice from the end", "{{ messages[0].content[:-6] }}|", "Tea at Five, please", "Tea at Five, |"],
  ["JSON", "{{ messages | tojson }}", 'say "hi"', '[{"role": "user", "content": "say \\"hi\\""}]'],
  ["JSON in ASCII", "{{ messages[0].content | tojson(ensure_ascii=true) }}", "café <|user|>", '"caf\\u00e9 <|user|>"'],
  [
    "a condition",
    "{% if 'Five' in messages[0].content %}{{ messages[0].content }}{% endif %}",
    "Tea at Five",
    "Tea at Five",
  ],
])("render() falls back to the text itself for a template that uses %s", (_, template, content, expected) => {
  expect(rendered(template, content)).toBe(expected);
});

test("render() hides the words of a text from a template that looks for them", () => {
  expect(rendered("{{ messages[0].content.split('</think>')[-1] }}", "a</think>b")).toBe("a</think>b");
  expect(rendered("{{ messages[0].content.replace('a', 'b') }}", "a bat")).toBe("a bat");
});

test("render() lets a template see how long a text is", () => {
  const template = "{{ messages[0].content | length }} {{ messages[0].content }}";
  const content = "a text that is longer than the name that stands in for it";
  expect(rendered(template, content)).toBe(`${content.length} ${content}`);
});

test("render() prints nothing of a text that the template drops", () => {
  const messages: Message[] = [{ role: "system", content: "SYS" }, ...ask("a</think>b")];
  const template =
    "{% for m in messages if m.role == 'user' %}{{ m.content.replace('a', 'z').split('</think>')[-1] }}{% endfor %}";
  expect(rendererFor(template).render(messages)).toEqual([{ kind: "content", text: "a</think>b" }]);
});

test("render() notices a slot of which only the inside was printed", () => {
  // Cut at both ends, which the marks around a text shift by one place.
  expect(rendered("{{ messages[0].content[3:-6] }}|", "Tea at Five, please")).toMatch(/^\S? at Five, \S?\|$/);
  expect(rendered("[{{ messages[0].content[2] }}]", "Tea")).toMatch(/^\[[Tea]\]$/);
});

test("render() breaks a control token whose text lost its marks", () => {
  expect(rendererFor("{{ messages[0].content[:-3] }}").render(ask("ask <|user|> x y z"))).toEqual([
    { kind: "control", text: "ask " },
    { kind: "content", text: "<" },
    { kind: "control", text: "|user|> x " },
  ]);
});

test("render() breaks overlapping control tokens", () => {
  const renderer = createPromptRenderer({
    template: "{{ messages[0].content[:-1] }}",
    metadata: new Map(),
    controlTokens: ["ab", "bc", "😀x"],
  });
  const segments = renderer.render(ask("abc 😀x y"));
  expect(segmentsToText(segments)).toBe("abc 😀x ");
  for (const { kind, ...rest } of segments) {
    if (kind === "control" && "text" in rest) expect(rest.text).not.toMatch(/ab|bc|😀x/u);
  }
});

test("render() leaves white space as it is where a text has nothing else", () => {
  expect(rendered("[{{ messages[0].content }}]", "")).toBe("[]");
  expect(rendered("[{{ messages[0].content }}]", " \n ")).toBe("[ \n ]");
  expect(rendered("[{{ messages[0].content | trim }}]", " \n ")).toBe("[]");
});

test("render() keeps texts that use every private character of the basic plane", () => {
  const all = String.fromCodePoint(...Array.from({ length: 0xf900 - 0xe000 }, (_, index) => 0xe000 + index));
  const content = `x${all}\uFDD0\\ue000 <|user|> y`;
  expect(rendered(fixture("glm-z1"), content)).toBe(`[gMASK]<sop><|user|>\n${content}<|assistant|>\n<think>`);
  expect(rendered("{{ messages[0].content | upper }}", content)).toBe(content.toUpperCase());
});

test("render() takes conversations as long as a 128k context, whether or not the template looks into them", () => {
  const messages = Array.from({ length: 2500 }, (_, index): Message[] => [
    { role: "user", content: `question ${index} ${"word ".repeat(40)}` },
    { role: "assistant", content: `answer ${index} ${"word ".repeat(40)}` },
  ]).flat();
  for (const name of ["glm-z1", "chatml-thinking", "header-id"] as const) {
    expect(segmentsToText(rendererFor(fixture(name), beginToken).render(messages)).includes("answer 2499 word")).toBe(
      true,
    );
  }
  const looking = fixture("glm-z1").replace("[-1].strip() -%}", "[-1].strip() | upper -%}");
  expect(segmentsToText(rendererFor(looking).render(messages)).includes("ANSWER 2499 WORD")).toBe(true);
});

test("segmentsToText() joins text and leaves tokens out", () => {
  expect(
    segmentsToText([
      { kind: "control", text: "a" },
      { kind: "tokens", ids: new Uint32Array([1]) },
      { kind: "content", text: "b" },
    ]),
  ).toBe("ab");
});
