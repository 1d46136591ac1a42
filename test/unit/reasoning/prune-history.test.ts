import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeepReasoning, Message } from "../../../src/contract.ts";
import { InferenceError } from "../../../src/errors.ts";
import { pruneHistory } from "../../../src/reasoning/index.ts";
import { conversations } from "../conversations.ts";
import { outputs } from "./arbitraries.ts";

const tags = { open: "<think>", close: "</think>" };
const histories = conversations(outputs(tags));
const count = ({ content }: Message): number => content.length + 1;
const total = (messages: readonly Message[]): number => messages.reduce((sum, message) => sum + count(message), 0);
const assistant = (content: string, reasoning?: string): Message => ({
  role: "assistant",
  content,
  ...(reasoning === undefined ? {} : { reasoning }),
});

describe("pruneHistory()", () => {
  test.each([
    ["drops the reasoning field", assistant("4", "2 + 2"), assistant("4")],
    ["drops thoughts from content", assistant("<think>\n2 + 2\n</think>\n\n4"), assistant("4")],
    ["drops thoughts whose opening tag was in the prompt", assistant("2 + 2\n</think>\n4"), assistant("4")],
    ["keeps what follows the last closing tag", assistant("a</think>b<think>c</think>d"), assistant("d")],
    ["drops a block that was never closed", assistant("<think>\n2 + 2"), assistant("")],
    ["keeps an opening tag that the answer speaks about", assistant("use <think> so"), assistant("use <think> so")],
  ])("%s", (_, message, expected) => expect(pruneHistory([message])).toEqual([expected]));

  test("keeps thoughts after the last user message for since-last-user, and everything for all", () => {
    const messages: Message[] = [
      { role: "user", content: "q" },
      assistant("a", "old"),
      { role: "user", content: "q</think>" },
      {
        role: "assistant",
        content: "<think>x</think>",
        reasoning: "new",
        toolCalls: [{ id: "1", name: "f", arguments: {} }],
      },
      { role: "tool", toolCallId: "1", content: "t</think>" },
    ];
    const [first, , ...rest] = messages;
    expect(pruneHistory(messages, { keepReasoning: "since-last-user" })).toEqual([first, assistant("a"), ...rest]);
    expect(pruneHistory(messages, { keepReasoning: "all" })).toEqual(messages);
    expect(pruneHistory(messages.slice(3), { keepReasoning: "since-last-user" })).toEqual(messages.slice(3));
  });

  test("takes the tags of other models", () => {
    const other = { open: "[THINK]", close: "[/THINK]" };
    expect(pruneHistory([assistant("[THINK]a[/THINK]b</think>c")], { tags: other })).toEqual([assistant("b</think>c")]);
  });

  test("leaves an assistant's null content to the prompt", () => {
    // As OpenAI's clients send it, against the type.
    const message = { role: "assistant", content: null, toolCalls: [] } as unknown as Message;
    expect(pruneHistory([message])).toEqual([message]);
  });

  test("leaves no thought behind, alters nothing else, and does nothing the second time", () => {
    fc.assert(
      fc.property(histories, (messages) => {
        const before = structuredClone(messages);
        const pruned = pruneHistory(messages);
        expect(messages).toEqual(before);
        expect(pruned.length).toBe(messages.length);
        for (const [index, message] of pruned.entries()) {
          if (message.role === "assistant") {
            expect(message.content).not.toContain("</think>");
            expect(message).not.toHaveProperty("reasoning");
            const original = messages[index];
            expect(original?.content.endsWith(message.content)).toBe(true);
            if (original?.role === "assistant") expect(message.toolCalls).toEqual(original.toolCalls);
          } else expect(message).toBe(messages[index]);
        }
        expect(pruneHistory(pruned)).toEqual(pruned);
      }),
    );
  });

  test("fits maxTokens by dropping as few of the oldest turns as it takes, whole, or says what must stay", () => {
    const bounds = fc.record({
      maxTokens: fc.nat(300),
      keepFirst: fc.nat(2),
      keepLast: fc.nat(3),
      keepReasoning: fc.constantFrom<KeepReasoning>("none", "since-last-user", "all"),
    });
    fc.assert(
      fc.property(histories, bounds, (messages, options) => {
        const whole = pruneHistory(messages, { keepReasoning: options.keepReasoning });
        let pruned: Message[];
        try {
          pruned = pruneHistory(messages, { ...options, count });
          // The same on messages that are pruned already, so that they can be told apart by identity.
          const again = pruneHistory(whole, { ...options, keepReasoning: "all", count });
          expect(again).toEqual(pruned);
          pruned = again;
        } catch (error) {
          if (!InferenceError.is(error, "context-full")) throw error;
          expect(error.details).toMatchObject({ window: options.maxTokens });
          expect(Number(error.details?.["needed"])).toBeGreaterThan(options.maxTokens);
          return;
        }
        expect(total(pruned)).toBeLessThanOrEqual(options.maxTokens);
        // What was dropped is one run of whole turns, systems aside.
        const gone = whole.filter((message) => !pruned.includes(message));
        expect(gone.some(({ role }) => role === "system")).toBe(false);
        expect(pruned).toEqual(whole.filter((message) => !gone.includes(message)));
        const talk = whole.filter(({ role }) => role !== "system");
        const start = talk.findIndex((message) => gone.includes(message));
        if (start < 0) {
          expect(pruned).toEqual(whole);
          return;
        }
        expect(gone).toEqual(talk.slice(start, start + gone.length));
        expect(talk.slice(0, start).filter(({ role }) => role === "user").length).toBe(options.keepFirst);
        const after = talk.slice(start + gone.length);
        expect(after[0]?.role ?? "user").toBe("user");
        expect(after.filter(({ role }) => role === "user").length).toBeGreaterThanOrEqual(
          Math.min(options.keepLast, talk.filter(({ role }) => role === "user").length - options.keepFirst),
        );
        const lastTurn = gone.slice(gone.findLastIndex(({ role }) => role === "user"));
        expect(total(pruned) + total(lastTurn)).toBeGreaterThan(options.maxTokens);
      }),
      { numRuns: 2000 },
    );
  });

  test("throws TypeError or RangeError for wrong arguments", () => {
    const wrong = (messages: unknown, options?: unknown) => () =>
      // What a caller without types could pass.
      pruneHistory(messages as Message[], options as Parameters<typeof pruneHistory>[1]);
    expect(wrong("text")).toThrow(TypeError);
    expect(wrong([{ role: "developer", content: "" }])).toThrow(TypeError);
    expect(wrong([{ role: "user", content: null }])).toThrow(TypeError);
    expect(wrong([null])).toThrow(TypeError);
    expect(wrong([], { keepReasoning: "some" })).toThrow(TypeError);
    expect(wrong([], { maxTokens: 5 })).toThrow(TypeError);
    expect(wrong([], { maxTokens: -5, count })).toThrow(RangeError);
    expect(wrong([], { keepFirst: 0.5 })).toThrow(RangeError);
    expect(wrong([], { keepLast: Number.NaN })).toThrow(RangeError);
    expect(wrong([{ role: "user", content: "" }], { maxTokens: 5, count: () => Number.NaN })).toThrow(RangeError);
  });
});
