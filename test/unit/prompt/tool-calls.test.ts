import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ToolDefinition } from "../../../src/contract.ts";
import { detectFamily } from "../../../src/prompt/family.ts";
import { createToolCallGate } from "../../../src/prompt/tool-call-gate.ts";
import { parseToolCalls } from "../../../src/prompt/tool-calls.ts";
import { fixture } from "./fixtures.ts";

const glm = detectFamily(new Map(), fixture("glm-z1"));
const chatml = detectFamily(new Map(), fixture("chatml-thinking"));
const rumination = detectFamily(new Map(), fixture("glm-z1-rumination"));
const tools: ToolDefinition[] = ["search", "search_web", "get weather"].map((name) => ({ name, parameters: {} }));
const called = (query: string) => ({ name: "search", arguments: { query } });

test.each([
  ["a call", 'search\n{"query": "x"}', { text: "", calls: [called("x")] }],
  ["a call after white space", '\n\nsearch \r\n\n {"query": "x"}\n', { text: "", calls: [called("x")] }],
  ["two calls", 'search\n{"query": "x"}\nsearch\n{"query": "y"}', { text: "", calls: [called("x"), called("y")] }],
  ["braces in a string", 'search\n{"query": "}{\\"}"}', { text: "", calls: [called('}{"}')] }],
  ["text after a call", 'search\n{"query": "x"}\nDone.', { text: "\nDone.", calls: [called("x")] }],
  ["a longer name", "search_web\n{}", { text: "", calls: [{ name: "search_web", arguments: {} }] }],
  ["a name with a space", "get weather\n{}", { text: "", calls: [{ name: "get weather", arguments: {} }] }],
  ["a tool that was not offered", 'delete\n{"all": true}', { text: 'delete\n{"all": true}', calls: [] }],
  ["a name in a sentence", "search\nis what I would do {}", { text: "search\nis what I would do {}", calls: [] }],
  ["a name alone", "search", { text: "search", calls: [] }],
  ["a call in the middle", 'Look:\nsearch\n{"query": "x"}', { text: 'Look:\nsearch\n{"query": "x"}', calls: [] }],
  ["nothing", "", { text: "", calls: [] }],
])("parseToolCalls() reads %s of a GLM model", (_, text, expected) => {
  expect(parseToolCalls(text, glm, tools)).toEqual(expected);
});

test.each([
  [
    "a call",
    '<tool_call>\n{"name": "search", "arguments": {"query": "x"}}\n</tool_call>',
    { text: "", calls: [called("x")] },
  ],
  [
    "text, then two calls",
    'Hm.\n<tool_call>{"name":"search","arguments":{"query":"x"}}</tool_call>\n<tool_call>{"name":"search","arguments":"{\\"query\\":\\"y\\"}"}</tool_call>',
    { text: "Hm.", calls: [called("x"), called("y")] },
  ],
  [
    "a call without its closing tag",
    '<tool_call>{"name": "search", "arguments": {"query": "x"}}',
    { text: "", calls: [called("x")] },
  ],
  [
    "a closing tag in a string",
    '<tool_call>{"name": "search", "arguments": {"query": "</tool_call>"}}</tool_call>',
    { text: "", calls: [called("</tool_call>")] },
  ],
  [
    "a call without arguments",
    '<tool_call>{"name": "search"}</tool_call>',
    { text: "", calls: [{ name: "search", arguments: {} }] },
  ],
  [
    "text between and after",
    'a <tool_call>{"name": "search"}</tool_call> b <tool_call>{"name": "search"}</tool_call>\nc',
    {
      text: "a b\nc",
      calls: [
        { name: "search", arguments: {} },
        { name: "search", arguments: {} },
      ],
    },
  ],
  ["no call", "plain {text}", { text: "plain {text}", calls: [] }],
])("parseToolCalls() reads %s of a ChatML model", (_, text, expected) => {
  expect(parseToolCalls(text, chatml, tools)).toEqual(expected);
});

test("parseToolCalls() says what is wrong with a call, in words for the model, and leaves it in the text", () => {
  expect(parseToolCalls('search\n{"query": ', glm, tools)).toEqual({
    text: 'search\n{"query": ',
    calls: [],
    problem: expect.stringMatching(/^The call of search could not be read.*\{"query":$/),
  });
  expect(parseToolCalls("search\n{query: 1}", glm, tools).problem).toMatch(
    /must be one JSON object, and they were: \{query: 1\}$/,
  );
  expect(parseToolCalls('<tool_call>{"name": }</tool_call>', chatml, tools).problem).toMatch(/could not be read/);
  expect(parseToolCalls('<tool_call>["search"]</tool_call> x', chatml, tools)).toMatchObject({
    text: '<tool_call>["search"]</tool_call> x',
    problem: expect.any(String),
  });
  expect(parseToolCalls('<tool_call>{"name": "rm"}</tool_call>', chatml, tools)).toMatchObject({
    text: '<tool_call>{"name": "rm"}</tool_call>',
    calls: [],
    problem: expect.stringContaining("no tool named rm; the tools are: search, "),
  });
});

test("parseToolCalls() leaves a reply alone when no tools were offered", () => {
  expect(parseToolCalls('search\n{"query": "x"}', glm, [])).toEqual({ text: 'search\n{"query": "x"}', calls: [] });
});

test("parseToolCalls() knows the rumination model's own tools", () => {
  expect(parseToolCalls("finish\n{}", rumination, [])).toEqual({
    text: "",
    calls: [{ name: "finish", arguments: {} }],
  });
});

test("parseToolCalls() reads the rumination model's calls as JSON objects", () => {
  const read = (text: string): unknown => parseToolCalls(text, rumination, []);
  const call = '\n{"name": "click", "arguments": {"link_id": 3}}';
  expect(read(call)).toEqual({ text: "", calls: [{ name: "click", arguments: { link_id: 3 } }] });
  expect(read(`${call}\nThen`)).toEqual({
    text: "\nThen",
    calls: [{ name: "click", arguments: { link_id: 3 } }],
  });
  expect(read('{"name": "finish"}')).toEqual({ text: "", calls: [{ name: "finish", arguments: {} }] });
  expect(read('{"title": "A report"}')).toEqual({ text: '{"title": "A report"}', calls: [] });
  expect(read(`Let me see. ${call}`)).toEqual({
    text: "Let me see.",
    calls: [{ name: "click", arguments: { link_id: 3 } }],
  });
  const inLine = 'A report, {"name": "x"}';
  expect(read(inLine)).toEqual({ text: inLine, calls: [] });
  expect(read(`${call}${call}`)).toMatchObject({ text: "", calls: [{ name: "click" }, { name: "click" }] });
  expect(read('{"name": "rm", "arguments": {}}')).toMatchObject({
    calls: [],
    problem: expect.stringContaining("no tool named rm; the tools are: search, click, open, finish") as string,
  });
  expect(read('{"name": "open", "arguments": {"url": ')).toMatchObject({
    calls: [],
    problem: expect.stringContaining("could not be read") as string,
  });
});

const pieces = [
  "search",
  "sea",
  "rch",
  "_web",
  "get ",
  "weather",
  "\n",
  " ",
  '{"query"',
  ': "x"}',
  "{",
  "}",
  '"',
  "\\",
  "<tool_call>",
  "<tool",
  "_call>",
  "</tool_call>",
  '{"name": "search", "arguments": {}}',
  '{"na',
  'me": ',
  "text",
  "<",
  "é",
];

test.each([
  ["GLM", glm],
  ["ChatML", chatml],
  ["rumination", rumination],
])("createToolCallGate() finds what parseToolCalls() finds, however a %s reply is cut", (_, family) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pieces), { maxLength: 12 }),
      fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
      (parts, cuts) => {
        const whole = parts.join("");
        const gate = createToolCallGate(family, tools);
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).toSorted((a, b) => a - b), whole.length];
        const shown = at.slice(1).map((end, index) => gate.push(whole.slice(at[index], end)));
        const { text, ...rest } = gate.end();
        expect({ text: shown.join("") + text, ...rest }).toEqual(parseToolCalls(whole, family, tools));
      },
    ),
    { numRuns: 2000 },
  );
});

test("createToolCallGate() shows text at once where it can't become a call", () => {
  const shown = (family: typeof glm, ...reply: string[]): string[] => {
    const gate = createToolCallGate(family, tools);
    return reply.map((piece) => gate.push(piece));
  };
  expect(shown(glm, "The", " answer", "\nsearch\n{")).toEqual(["The", " answer", "\nsearch\n{"]);
  expect(shown(glm, "sea", "son", " one")).toEqual(["", "season", " one"]);
  expect(shown(glm, "search", "\n", "I will")).toEqual(["", "", "search\nI will"]);
  expect(shown(glm, "sear", "ch\n", '{"query"', ': "x"}')).toEqual(["", "", "", ""]);
  expect(shown(rumination, "A ", '\n{"', "title", '": 1}')).toEqual(["A", "", ' \n{"title', '": 1}']);
  expect(shown(rumination, '{"na', 'me": "open"', ', "arguments": {}}')).toEqual(["", "", ""]);
  expect(shown(chatml, "a < b", " <tool", "s>", " <tool_call>", "{")).toEqual(["a < b", "", " <tools>", "", ""]);
});
