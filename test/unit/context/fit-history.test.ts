import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitHistory } from "../../../src/context/fit-history.ts";
import type { Message } from "../../../src/contract.ts";
import { InferenceError } from "../../../src/errors.ts";
import { conversations } from "../conversations.ts";

const counted = conversations(fc.constantFrom("a", "b")).chain((messages) =>
  fc.record({
    messages: fc.constant(messages),
    counts: fc.array(fc.nat(50), { minLength: messages.length, maxLength: messages.length }),
    window: fc.nat(600),
  }),
);
const chat = [
  { role: "system", content: "s" },
  ...[1, 2, 3, 4].flatMap((turn) => [
    { role: "user", content: `q${turn}` },
    { role: "assistant", content: `a${turn}` },
  ]),
] as Message[]; // literals widen to string
const said = (messages: readonly Message[]): string => messages.map(({ content }) => content).join(" ");
const tens = chat.map(() => 10);

describe("fitHistory()", () => {
  test("returns what fits as it is, for every strategy", () => {
    for (const overflow of ["error", "shift", "drop-oldest"] as const) {
      expect(fitHistory(chat, { counts: tens, window: 90, overflow })).toEqual(chat);
    }
  });

  test("drops as few turns as it takes, or down to half of the window, or none", () => {
    expect(said(fitHistory(chat, { counts: tens, window: 89, overflow: "drop-oldest" }))).toBe("s q2 a2 q3 a3 q4 a4");
    expect(said(fitHistory(chat, { counts: tens, window: 89, overflow: "shift" }))).toBe("s q4 a4");
    expect(said(fitHistory(chat, { counts: tens, window: 40, overflow: "shift" }))).toBe("s q4 a4");
    expect(() => fitHistory(chat, { counts: tens, window: 89, overflow: "error" })).toThrow(
      expect.objectContaining({ code: "context-full", details: { needed: 90, window: 89 } }),
    );
  });

  test("refuses a last turn that cannot fit, with what it needs", () => {
    expect(() => fitHistory(chat, { counts: tens, window: 29, overflow: "shift" })).toThrow(
      expect.objectContaining({ code: "context-full", details: { needed: 30, window: 29 } }),
    );
  });

  test("fits the window, keeps systems and the last turn, and parts no result from its call", () => {
    fc.assert(
      fc.property(
        counted,
        fc.constantFrom("shift" as const, "drop-oldest" as const),
        ({ messages, ...options }, overflow) => {
          let fitted: Message[];
          try {
            fitted = fitHistory(messages, { ...options, overflow });
          } catch (error) {
            if (!InferenceError.is(error, "context-full")) throw error;
            expect(Number(error.details?.["needed"])).toBeGreaterThan(options.window);
            return;
          }
          const tokens = (kept: readonly Message[]): number =>
            messages.reduce(
              (sum, message, index) => sum + (kept.includes(message) ? (options.counts[index] ?? 0) : 0),
              0,
            );
          expect(tokens(fitted)).toBeLessThanOrEqual(options.window);
          expect(fitted).toEqual(messages.filter((message) => fitted.includes(message)));
          expect(fitted.filter(({ role }) => role === "system")).toEqual(
            messages.filter(({ role }) => role === "system"),
          );
          const lastTurn = messages.slice(messages.findLastIndex(({ role }) => role === "user"));
          if (messages.some(({ role }) => role === "user")) expect(fitted.slice(-lastTurn.length)).toEqual(lastTurn);
          const talk = fitted.filter(({ role }) => role !== "system");
          expect(talk[0]?.role ?? "user").toBe("user");
          for (const [index, message] of fitted.entries()) {
            if (message.role === "tool") expect(fitted[index - 1]).toHaveProperty("toolCalls.0.id", message.toolCallId);
          }
          if (overflow === "shift" && fitted.length < messages.length) {
            const turns = talk.filter(({ role }) => role === "user").length;
            expect(tokens(fitted) <= options.window / 2 || turns === 1).toBe(true);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("throws TypeError or RangeError for wrong arguments", () => {
    const options = { counts: [1], window: 0, overflow: "shift" } as const;
    const one: Message[] = [{ role: "user", content: "" }];
    expect(() => fitHistory([], options)).toThrow(RangeError);
    expect(() => fitHistory(one, { ...options, counts: [0.5] })).toThrow(RangeError);
    expect(() => fitHistory(one, { ...options, window: -1 })).toThrow(RangeError);
    // @ts-expect-error no such strategy
    expect(() => fitHistory(one, { ...options, overflow: "forget" })).toThrow(TypeError);
    // @ts-expect-error no history
    expect(() => fitHistory("", options)).toThrow(TypeError);
  });
});
