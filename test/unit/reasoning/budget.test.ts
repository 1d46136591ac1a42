import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BudgetRules, ReasoningTags, SplitPart } from "../../../src/reasoning/index.ts";
import { ThinkingBudget } from "../../../src/reasoning/index.ts";
import { cuts, outputs, tagPairs } from "./arbitraries.ts";

interface Outcome {
  readonly budget: ThinkingBudget;
  readonly parts: SplitPart[];
  readonly reasoning: string;
  readonly text: string;
  /** What each round was given after the prompt. */
  readonly prompts: string[];
  readonly sampled: number;
}

/** Runs a model that says `says(round)` in pieces of one token each, at most `maxTokens` of them. */
function run(
  rules: BudgetRules,
  says: (round: number) => readonly string[],
  { maxTokens = 200, endAfter = Infinity } = {},
): Outcome {
  const budget = new ThinkingBudget(rules);
  const parts: SplitPart[] = [];
  const prompts: string[] = [];
  let sampled = 0;
  for (let round = 0; ; round++) {
    parts.push(...budget.begin());
    prompts.push(budget.soFar.map(({ text }) => text).join(""));
    let isRestarted = false;
    for (const text of says(round)) {
      if (sampled >= maxTokens) break;
      if (sampled >= endAfter) budget.endReasoning();
      sampled += 1;
      const step = budget.push({ text, tokens: 1 });
      parts.push(...step.parts);
      isRestarted = step.restart;
      if (isRestarted) break;
    }
    if (!isRestarted) break;
  }
  parts.push(...budget.end());
  const joined = (type: string): string => parts.flatMap((part) => (part.type === type ? [part.text] : [])).join("");
  return { budget, parts, reasoning: joined("reasoning"), text: joined("text"), prompts, sampled };
}

const words = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [];
const says =
  (...rounds: string[]) =>
  (round: number): string[] =>
    words(rounds[round] ?? "");
const open: BudgetRules = { open: true };

describe("ThinkingBudget", () => {
  test("lets a model alone that closes its block by itself", () => {
    const { budget, reasoning, text, prompts } = run(open, says("one two\n</think>\nYes."));
    expect({ reasoning, text, prompts }).toEqual({ reasoning: "one two", text: "Yes.", prompts: [""] });
    expect(budget.reasoningEnd).toBe("model");
    expect(budget.usage).toEqual({ reasoning: 3, text: 1 });
  });

  test("closes the block when the budget is spent, and goes on with the answer", () => {
    const { budget, reasoning, text, prompts } = run(
      { open: true, budget: 3 },
      says("one two three four five", "\nYes it is."),
    );
    expect({ reasoning, text }).toEqual({ reasoning: "one two three", text: "Yes it is." });
    expect(prompts).toEqual(["", "one two three\n</think>\n"]);
    expect(budget.reasoningEnd).toBe("budget");
    expect(budget.usage).toEqual({ reasoning: 3, text: 3 });
  });

  test("closes at once with a budget of 0, right after the prompt", () => {
    const { budget, prompts, reasoning, text } = run({ open: true, budget: 0 }, says("Yes."));
    expect({ prompts, reasoning, text }).toEqual({ prompts: ["</think>\n"], reasoning: "", text: "Yes." });
    expect([budget.reasoningEnd, budget.usage]).toEqual(["budget", { reasoning: 0, text: 1 }]);
  });

  test("thinks the message last, on a line of its own", () => {
    const { reasoning, prompts } = run(
      { open: true, budget: 2, message: "Time is up." },
      says("one two three", "Yes."),
    );
    expect(reasoning).toBe("one two\nTime is up.");
    expect(prompts[1]).toBe("one two\nTime is up.\n</think>\n");
    expect(run({ open: true, budget: 0, message: "No time." }, says("Yes.")).prompts).toEqual(["No time.\n</think>\n"]);
  });

  test("puts the nudge in the place of a closing tag that comes too soon", () => {
    const { budget, reasoning, text, prompts } = run(
      { open: true, minimum: 5, nudge: "Hm, " },
      says("one\n</think>\nYes.", "two three four\n</think>\nNo."),
    );
    expect({ reasoning, text }).toEqual({ reasoning: "one\nHm, two three four", text: "No." });
    expect(prompts).toEqual(["", "one\nHm, "]);
    expect(budget.reasoningEnd).toBe("model");
  });

  test("lets a model go that will not think on", () => {
    const { budget, text, prompts } = run({ open: true, minimum: 100 }, () => ["</think>", "Yes."]);
    expect(prompts).toHaveLength(9);
    expect(text).toBe("Yes.");
    expect(budget.reasoningEnd).toBe("model");
  });

  test("closes an open block when the user wants the answer, and every later one", () => {
    const { budget, reasoning, text, prompts } = run(
      { open: true, minimum: 50 },
      (round) => (round === 0 ? words("one two three four") : words("Yes. <think> again")),
      { endAfter: 2, maxTokens: 9 },
    );
    expect(reasoning).toBe("one two three");
    expect(prompts[1]).toBe("one two three\n</think>\n");
    // Each time round, the block that the model opened anew was closed at once.
    expect(prompts[2]).toBe("one two three\n</think>\nYes. <think>\n</think>\n");
    expect(text.startsWith("Yes. Yes. ")).toBe(true);
    expect(budget.reasoningEnd).toBe("user");
  });

  test("counts a second block against the same budget", () => {
    const { budget, reasoning, text } = run(
      { open: true, budget: 4 },
      says("one two</think> Yes. <think>three four five six", "No."),
    );
    expect(reasoning).toBe("one two\nthree four");
    expect(text).toBe(" Yes. No.");
    expect([budget.reasoningEnd, budget.usage.reasoning]).toEqual(["budget", 4]);
  });

  test("drops one closing tag that the model writes after a forced one, and shows a second", () => {
    const after = says("one two", "so\n</think>\nYes, </think> is a tag.");
    expect(run({ open: true, budget: 2 }, after).text).toBe("so\n\nYes, </think> is a tag.");
    expect(run({ open: true, budget: 2 }, says("one two", "</think>\nYes.")).text).toBe("Yes.");
    expect(run({ open: true, budget: 2 }, says("one two", "Yes </thi")).text).toBe("Yes </thi");
  });

  test("gives the answer a round of its own where it is to be apart", () => {
    const { prompts, reasoning, text, budget } = run(
      { open: true, answerApart: true },
      says("one two\n</think>\nNo.", "Yes."),
    );
    expect({ prompts, reasoning, text }).toEqual({
      prompts: ["", "one two\n</think>\n"],
      reasoning: "one two",
      text: "Yes.",
    });
    expect(budget.reasoningEnd).toBe("model");
  });

  test("looks for no tags in an answer that something else binds", () => {
    const { text, reasoning, prompts } = run(
      { open: false, answerApart: true },
      says('{"a": "<think>"} </think> <think>b'),
    );
    expect({ text, reasoning, prompts }).toEqual({
      text: '{"a": "<think>"} </think> <think>b',
      reasoning: "",
      prompts: [""],
    });
  });

  test("leaves no half of a tag before a forced one", () => {
    const pieces = ["one", "\n", "</", "think", ">", "Yes."];
    const { prompts, reasoning } = run({ open: true, budget: 3 }, (round) => (round === 0 ? pieces : ["Yes."]));
    expect({ prompts, reasoning }).toEqual({ prompts: ["", "one\n</think>\n"], reasoning: "one" });
  });

  test.each([
    ["none", false, "Yes."],
    ["model", false, "<think>\n\n</think>\nYes."],
    ["model", true, "</think>\nYes."],
    ["cut", true, "one two"],
    ["cut", false, "<think>one"],
  ] as const)("tells that a block ended as %s", (end, isOpen, text) => {
    expect(run({ open: isOpen }, says(text)).budget.reasoningEnd).toBe(end);
  });

  test("refuses tags in what it says in the model's place", () => {
    expect(() => new ThinkingBudget({ open: true, nudge: "a</think>b" })).toThrow(TypeError);
    expect(() => new ThinkingBudget({ open: true, message: "<think>" })).toThrow(TypeError);
    // @ts-expect-error a number is no text
    expect(() => new ThinkingBudget({ open: true, nudge: 1 })).toThrow(TypeError);
  });

  describe("whatever the model says, in pieces of any size,", () => {
    const rules = fc.record(
      {
        open: fc.boolean(),
        budget: fc.oneof(fc.nat(12), fc.constant(Infinity)),
        minimum: fc.nat(12),
        nudge: fc.constantFrom("Wait, ", "w", "\nhm\n"),
        message: fc.constantFrom("", "Enough."),
        answerApart: fc.boolean(),
      },
      { requiredKeys: ["open"] },
    );
    const scenario = tagPairs.chain((tags) =>
      fc.record({
        tags: fc.constant(tags),
        rules,
        rounds: fc.array(outputs(tags), { maxLength: 5 }),
        random: fc.infiniteStream(fc.nat()),
        endAfter: fc.oneof(fc.nat(20), fc.constant(Infinity)),
      }),
    );
    const check = (
      holds: (
        outcome: Outcome,
        given: { rules: BudgetRules; tags: ReasoningTags; endAfter: number; opensAgain: boolean },
      ) => void,
    ): void => {
      fc.assert(
        fc.property(scenario, ({ tags, rules: given, rounds, random, endAfter }) => {
          const all = { ...given, tags };
          const outcome = run(all, (round) => cuts(rounds[round % (rounds.length || 1)] ?? "", random), {
            maxTokens: 60,
            endAfter,
          });
          holds(outcome, { rules: all, tags, endAfter, opensAgain: rounds.some((text) => text.includes(tags.open)) });
        }),
        { numRuns: 2000 },
      );
    };

    test("every sampled token is counted once", () => {
      check(({ budget, sampled }) => {
        const { reasoning, text } = budget.usage;
        expect(reasoning + text).toBe(sampled);
      });
    });

    test("a block that the prompt opened is thought for at most its budget, and for all of it when that ends it", () => {
      check(({ budget }, { rules: { open: isOpen, budget: most = Infinity }, opensAgain }) => {
        if (!isOpen || opensAgain) return;
        expect(budget.usage.reasoning).toBeLessThanOrEqual(most);
        if (budget.reasoningEnd === "budget") expect(budget.usage.reasoning).toBe(most);
      });
    });

    test("a block that the model ended is thought for at least the minimum, unless it was nudged in vain", () => {
      check(({ budget, prompts }, { rules: { minimum = 0, budget: most = Infinity }, endAfter }) => {
        if (budget.reasoningEnd !== "model" || endAfter !== Infinity || prompts.length > 8) return;
        expect(budget.usage.reasoning).toBeGreaterThanOrEqual(Math.min(minimum, most));
      });
    });

    test("a round is given what was shown before it, with the tags between", () => {
      check(({ budget, reasoning, text }, { tags }) => {
        const given = budget.soFar.map((segment) => segment.text).join("");
        const bare = (string: string): string =>
          string
            .replaceAll(tags.open, "")
            .replaceAll(tags.close, "")
            .replace(/[\r\n]/g, "");
        // One block: then the order is known.
        if (given.split(tags.close).length > 2 || given.includes(tags.open)) return;
        const [before = "", after = ""] = given.split(tags.close);
        expect(bare(reasoning).startsWith(bare(before))).toBe(true);
        expect(bare(text).startsWith(bare(after))).toBe(true);
      });
    });

    test("no part is empty, and no thought holds a closing tag", () => {
      check(({ parts }, { tags }) => {
        expect(parts.every((part) => part.text !== "")).toBe(true);
        expect(parts.some((part) => part.type === "reasoning" && part.text.includes(tags.close))).toBe(false);
      });
    });

    test("it ends, and tells how", () => {
      check(({ budget, prompts }, { rules: given, endAfter }) => {
        const wasClosed = prompts.at(-1)?.includes(given.tags?.close ?? "") === true;
        if (budget.reasoningEnd === "user") expect(endAfter).not.toBe(Infinity);
        if (budget.reasoningEnd === "budget") expect(given.budget).not.toBe(undefined);
        if (budget.reasoningEnd === "budget" || budget.reasoningEnd === "user") expect(wasClosed).toBe(true);
      });
    });
  });
});
