import { Template } from "@huggingface/jinja";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Message, ToolDefinition } from "../../../src/contract.ts";
import { segmentsToText } from "../../../src/prompt/renderer.ts";
import type { PromptSegment } from "../../../src/prompt/segment.ts";
import { beginToken, controlTokens, fixture, type FixtureName, rendererFor } from "./fixtures.ts";

// What a caller could write to pass for something else: control tokens and parts of them, tags, jinja, marks.
const words = [
  ...controlTokens,
  "<|us",
  "er|>",
  "<think>",
  "</think>",
  "{{ x }}",
  "{% endif %}",
  "\uE000",
  "\uE001",
  "\uE002",
  'x"Y0',
  "\\ue000",
  '"',
  "\\",
  "\n",
  " ",
  "a",
  "😀",
  "%",
];
const content = fc.oneof(
  fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("user" as const, "system" as const), content }),
  fc.record({ role: fc.constant("assistant" as const), content }),
);
const messages = fc.array(message, { minLength: 1, maxLength: 6 });
const talk = messages.map((list) =>
  list.map((one): Message =>
    one.role === "assistant" ? { ...one, content: one.content.replaceAll("think>", "") } : one,
  ),
);

const glm = (list: readonly Message[]): string => {
  const leading = list.findIndex(({ role }) => role !== "system");
  const turns = list.map(({ role, content: text }, index) => {
    // Leading system messages go through the template's own loop, which does not strip them.
    const leads = leading === -1 || index < leading;
    return `<|${role}|>\n${leads ? text : text.trim()}`;
  });
  return `[gMASK]<sop>${turns.join("")}<|assistant|>\n<think>`;
};

/** The template as the package renders it, without any marks. */
const plain =
  (name: FixtureName) =>
  (list: readonly Message[]): string =>
    new Template(fixture(name)).render({
      messages: list.map((one) => ({ ...one, tool_calls: [] })),
      tools: null,
      add_generation_prompt: true,
      bos_token: "<|begin_of_text|>",
    });

const oracles: [FixtureName, (list: readonly Message[]) => string][] = [
  ["glm-z1", glm],
  ["glm-z1-backslash", glm],
  ["chatml-thinking", plain("chatml-thinking")],
];

test.each(oracles)("render() gives %s the text that its rules ask for, whatever the messages say", (name, expected) => {
  const renderer = rendererFor(fixture(name), beginToken);
  fc.assert(
    fc.property(talk, (list) => {
      expect(segmentsToText(renderer.render(list))).toBe(expected(list));
    }),
    { numRuns: 300 },
  );
});

/** The control tokens that an engine would find in the control segments. */
function forged(segments: readonly PromptSegment[]): string[] {
  const control = segments.flatMap((segment) => (segment.kind === "control" ? [segment.text] : []));
  return control
    .flatMap((text) =>
      controlTokens.flatMap((token) => Array.from(text.matchAll(new RegExp(RegExp.escape(token), "g")), () => token)),
    )
    .toSorted();
}

const tool = fc
  .record({ description: content, title: content, key: content })
  .map(({ description, title, key }): ToolDefinition => ({
    name: "f",
    description,
    parameters: { title, properties: { [`k${key}`]: { enum: [title] } } },
  }));
const harmless = (text: string): string => (text.trim() === "" ? text : "harmless");

const templates: [string, string][] = [
  ["glm-z1", fixture("glm-z1")],
  ["glm-4-0414", fixture("glm-4-0414")],
  ["rumination", fixture("glm-z1-rumination")],
  ["chatml-thinking", fixture("chatml-thinking")],
  [
    "one that cuts",
    "{% for m in messages %}<|user|>{{ m.content[:9] }}…{{ m.content[3:-1] }}{% endfor %}{{ tools | tojson }}",
  ],
  [
    "one that changes case",
    "{% for m in messages %}<|user|>{{ m.content | upper }}{{ m.content | lower }}{% endfor %}{{ tools | tojson }}",
  ],
  [
    "one that prints JSON",
    "<|user|>{{ messages | tojson(ensure_ascii=true) }}{{ tools | tojson(ensure_ascii=true, indent=2) }}",
  ],
  [
    "one that splits",
    "{% for m in messages %}{% for part in m.content.split('a') %}<|user|>{{ part }}{% endfor %}<|assistant|>{% endfor %}",
  ],
];

test.each(templates)("render() lets no text of a caller add a control token to %s", (name, template) => {
  const renderer = rendererFor(template, beginToken);
  // A template that prints a text's parts one by one prints its own tokens as often as there are parts.
  const fixed = name !== "one that splits";
  fc.assert(
    fc.property(messages, fc.array(tool, { maxLength: 1 }), (list, tools) => {
      const found = forged(renderer.render(list, { tools }));
      const innocent = list.map((one): Message => ({ ...one, content: harmless(one.content) }));
      const innocentTools = tools.map(({ name }) => ({
        name,
        description: "harmless",
        parameters: { title: "harmless", properties: { harmless: { enum: ["harmless"] } } },
      }));
      const own = forged(renderer.render(innocent, { tools: innocentTools }));
      if (fixed) expect(found).toEqual(own);
      else expect(found.filter((token) => token !== "<|user|>" && token !== "<|assistant|>")).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
