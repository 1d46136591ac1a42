import type { LanguageModelV4Message, LanguageModelV4ToolResultPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../../src/errors.ts";
import { toMessages } from "../../../../src/integrations/ai-sdk/prompt-messages.ts";

const result = (output: LanguageModelV4ToolResultPart["output"]): LanguageModelV4ToolResultPart => ({
  type: "tool-result",
  toolCallId: "1",
  toolName: "search",
  output,
});
const png = { type: "file", mediaType: "image/png", data: { type: "data", data: "aGk=" } } as const;

describe("toMessages()", () => {
  test("keeps the order of roles, and joins the texts of a user", () => {
    const { messages, warnings } = toMessages([
      { role: "system", content: "Be short." },
      {
        role: "user",
        content: [
          { type: "text", text: "One" },
          { type: "text", text: "Two" },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "Three" }] },
    ]);
    expect(messages).toEqual([
      { role: "system", content: "Be short." },
      { role: "user", content: "One\nTwo" },
      { role: "assistant", content: "Three" },
    ]);
    expect(warnings).toEqual([]);
  });

  test("keeps an assistant's thoughts and calls apart from its text", () => {
    const { messages } = toMessages([
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "first" },
          { type: "reasoning", text: "" },
          { type: "text", text: "Let me " },
          { type: "reasoning", text: "second" },
          { type: "text", text: "look." },
          { type: "tool-call", toolCallId: "1", toolName: "search", input: { query: "Ned" } },
          { type: "tool-call", toolCallId: "2", toolName: "search", input: { query: "Dora" } },
        ],
      },
    ]);
    expect(messages).toEqual([
      {
        role: "assistant",
        content: "Let me look.",
        reasoning: "first\nsecond",
        toolCalls: [
          { id: "1", name: "search", arguments: { query: "Ned" } },
          { id: "2", name: "search", arguments: { query: "Dora" } },
        ],
      },
    ]);
  });

  test.each<[string, LanguageModelV4ToolResultPart["output"], string]>([
    ["a text", { type: "text", value: "sunny" }, "sunny"],
    ["JSON", { type: "json", value: { sky: ["blue", 1, null] } }, '{"sky":["blue",1,null]}'],
    ["an error", { type: "error-text", value: "no network" }, "no network"],
    ["an error as JSON", { type: "error-json", value: { code: 7 } }, '{"code":7}'],
    ["a denial", { type: "execution-denied" }, "The call was denied."],
    ["a denial with a reason", { type: "execution-denied", reason: "not now" }, "The call was denied: not now"],
    [
      "content",
      {
        type: "content",
        value: [
          { type: "text", text: "a" },
          { type: "file", mediaType: "text/plain", data: { type: "text", text: "b" } },
        ],
      },
      "a\nb",
    ],
  ])("makes a tool message of %s", (_, output, content) => {
    const expected = [{ role: "tool", toolCallId: "1", content }];
    expect(toMessages([{ role: "tool", content: [result(output)] }]).messages).toEqual(expected);
  });

  test("makes a message of each result, wherever it stands, and none of an approval", () => {
    const { messages } = toMessages([
      {
        role: "assistant",
        content: [
          { type: "tool-call", toolCallId: "1", toolName: "search", input: {} },
          result({ type: "text", value: "a" }),
        ],
      },
      {
        role: "tool",
        content: [
          { type: "tool-approval-response", approvalId: "9", approved: true },
          result({ type: "text", value: "b" }),
          result({ type: "text", value: "c" }),
        ],
      },
    ]);
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ["assistant", ""],
      ["tool", "a"],
      ["tool", "b"],
      ["tool", "c"],
    ]);
  });

  test("takes a file that is given as text", () => {
    const file = { type: "file", mediaType: "text/markdown", data: { type: "text", text: "# Hi" } } as const;
    expect(toMessages([{ role: "user", content: [file] }]).messages).toEqual([{ role: "user", content: "# Hi" }]);
  });

  test.each<[string, LanguageModelV4Message]>([
    ["a user's image", { role: "user", content: [png] }],
    ["an assistant's image", { role: "assistant", content: [png] }],
    ["an image in thoughts", { role: "assistant", content: [{ ...png, type: "reasoning-file" }] }],
    ["a result's image", { role: "tool", content: [result({ type: "content", value: [png] })] }],
  ])("refuses %s, and says what to give instead", (_, message) => {
    let thrown: unknown;
    try {
      toMessages([message]);
    } catch (error) {
      thrown = error;
    }
    expect(InferenceError.is(thrown, "unsupported")).toBe(true);
    expect(String(thrown)).toMatch(/image\/png.*text part/);
  });

  test("leaves out what another provider put into the history, with a warning", () => {
    const { messages, warnings } = toMessages([
      {
        role: "assistant",
        content: [
          { type: "custom", kind: "other.compaction" },
          { type: "text", text: "Hi" },
        ],
      },
    ]);
    expect(messages).toEqual([{ role: "assistant", content: "Hi" }]);
    expect(warnings).toEqual([{ type: "other", message: expect.stringContaining("other.compaction") as string }]);
  });
});
