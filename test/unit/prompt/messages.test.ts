import { expect, test } from "vitest";
import { checkMessages, checkTools } from "../../../src/prompt/messages.ts";

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

const wrong: [string, unknown, RegExp][] = [
  ["no list", "hello", /messages must be an array, not "hello"/],
  ["no object", [null], /messages\[0\] must be an object, not null/],
  [
    "an unknown role",
    [
      { role: "user", content: "" },
      { role: "robot", content: "" },
    ],
    /messages\[1\]\.role must be one of system, user, assistant, tool, not "robot"/,
  ],
  [
    "content parts",
    [{ role: "user", content: [{ type: "text" }] }],
    /messages\[0\]\.content must be a string, not an array/,
  ],
  ["a user who says null", [{ role: "user", content: null }], /messages\[0\]\.content must be a string, not null/],
  [
    "a tool result without its call",
    [{ role: "tool", content: "x" }],
    /messages\[0\]\.toolCallId must be a non-empty string, not undefined/,
  ],
  [
    "thoughts that are no text",
    [{ role: "assistant", content: "", reasoning: 1 }],
    /messages\[0\]\.reasoning must be a string, not number/,
  ],
  [
    "calls that are no list",
    [{ role: "assistant", content: "", toolCalls: {} }],
    /messages\[0\]\.toolCalls must be an array/,
  ],
  [
    "a call without an id",
    [{ role: "assistant", content: "", toolCalls: [{ name: "f" }] }],
    /messages\[0\]\.toolCalls\[0\]\.id must be/,
  ],
  [
    "a call without a name",
    [{ role: "assistant", content: "", toolCalls: [{ id: "1", name: "" }] }],
    /toolCalls\[0\]\.name must be a non-empty string, not an empty string/,
  ],
  [
    "arguments that hold themselves",
    [{ role: "assistant", content: "", toolCalls: [{ id: "1", name: "f", arguments: cycle }] }],
    /toolCalls\[0\]\.arguments must be at most 100 levels deep/,
  ],
  [
    "arguments that JSON cannot hold",
    [{ role: "assistant", content: "", toolCalls: [{ id: "1", name: "f", arguments: { a: 1n } }] }],
    /must be data that JSON can hold, not bigint/,
  ],
];

test.each(wrong)("checkMessages() refuses %s", (_, messages, message) => {
  // The wrong types are the point.
  const check = () => checkMessages(messages as Parameters<typeof checkMessages>[0]);
  expect(check).toThrow(TypeError);
  expect(check).toThrow(message);
});

test("checkMessages() accepts every kind of message, and null from those who may say nothing", () => {
  const messages = [
    { role: "system", content: "" },
    { role: "user", content: "hi" },
    { role: "assistant", content: null, toolCalls: [{ id: "1", name: "f", arguments: "{}" }] },
    { role: "assistant", toolCalls: [{ id: "2", name: "f", arguments: {} }] },
    { role: "tool", toolCallId: "1", content: null },
    { role: "assistant", content: "done", reasoning: "easy" },
  ];
  // null is what OpenAI's clients send, though the type does not have it.
  expect(() => checkMessages(messages as Parameters<typeof checkMessages>[0])).not.toThrow();
});

const wrongTools: [string, unknown, RegExp][] = [
  ["no list", {}, /tools must be an array, not an object/],
  ["no object", ["f"], /tools\[0\] must be an object, not "f"/],
  ["no name", [{ parameters: {} }], /tools\[0\]\.name must be a non-empty string/],
  [
    "a name twice",
    [
      { name: "f", parameters: {} },
      { name: "f", parameters: {} },
    ],
    /tools\[1\]\.name is "f", which an earlier tool has too/,
  ],
  ["no schema", [{ name: "f" }], /tools\[0\]\.parameters must be a JSON schema, not undefined/],
  [
    "a schema that holds itself",
    [{ name: "f", parameters: cycle }],
    /tools\[0\]\.parameters must be at most 100 levels deep/,
  ],
  [
    "a description that is no text",
    [{ name: "f", description: {}, parameters: {} }],
    /tools\[0\]\.description must be a string, not an object/,
  ],
];

test.each(wrongTools)("checkTools() refuses %s", (_, tools, message) => {
  // The wrong types are the point.
  const check = () => checkTools(tools as Parameters<typeof checkTools>[0]);
  expect(check).toThrow(TypeError);
  expect(check).toThrow(message);
});
