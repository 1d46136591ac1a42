import type { ReasoningOptions } from "../../../src/index.ts";
import { equal, ok } from "../assert.ts";
import type { ConformanceCase, ConformanceContext } from "../contract.ts";
import { answer, collect, greedy, joined, question, user } from "./ask.ts";

const think = async (
  context: ConformanceContext,
  reasoning: ReasoningOptions | ReasoningOptions["mode"],
): ReturnType<typeof collect> => {
  const nano = await context.model();
  return collect(nano.chat(user(question), reasoning === undefined ? greedy : { ...greedy, reasoning }));
};

/** Modes, budgets, and how a thinking block ended. */
export const reasoning: readonly ConformanceCase[] = [
  {
    name: 'reasoning "force" opens the block once, also when the template did',
    async run(_, context) {
      const { result: auto } = await think(context, "auto");
      const { result: forced } = await think(context, "force");
      equal([forced.reasoning, forced.text], [auto.reasoning, auto.text], "forced and automatic thinking");
      const rendered = await (await context.model()).render(user(question), { reasoning: "force" });
      equal(rendered.split("<think>").length, 2, `opening tags in ${rendered}`);
    },
  },
  {
    name: 'reasoning "off" answers without a thought',
    async run(_, context) {
      const { parts, result } = await think(context, "off");
      equal(result.reasoning, "", "reasoning");
      equal(result.reasoningEnd, "none", "reasoningEnd");
      equal(joined(parts, "reasoning"), "", "reasoning parts");
      ok(result.text.length > 0, "there is no text");
      equal(result.usage.reasoning, 0, "usage.reasoning");
    },
  },
  {
    name: "budget 0 closes the block at once",
    async run(_, context) {
      const { result } = await think(context, { budget: 0 });
      equal(result.reasoning.trim(), "", "reasoning");
      equal(result.reasoningEnd, "budget", "reasoningEnd");
      equal(result.usage.reasoning, 0, "usage.reasoning");
      ok(result.text.length > 0 && !result.text.includes("think>"), `text: ${result.text}`);
    },
  },
  {
    name: "a small budget cuts the thoughts and lets the answer follow",
    async run(_, context) {
      const budget = 12;
      const { result: whole } = await think(context, undefined);
      const { parts, result } = await think(context, { budget });
      equal(result.reasoningEnd, "budget", "reasoningEnd");
      equal(result.usage.reasoning, budget, "usage.reasoning");
      ok(
        result.reasoning.length > 0 && whole.reasoning.startsWith(result.reasoning.trimEnd()),
        `reasoning: ${result.reasoning}`,
      );
      equal(joined(parts, "reasoning").trim(), result.reasoning.trim(), "the parts");
      ok(result.text.length > 0 && !result.text.includes("think>"), `text: ${result.text}`);
      equal(result.finishReason, "stop", "finishReason");
    },
  },
  {
    name: "a budget larger than the thoughts changes nothing",
    async run(_, context) {
      const { result } = await think(context, { budget: 150 });
      equal(result.reasoningEnd, "model", "reasoningEnd");
      equal(result.text, answer, "text");
    },
  },
  {
    name: "onBudget.message is the last thought",
    async run(_, context) {
      const message = "Time is up.";
      const { result } = await think(context, { budget: 8, onBudget: { message } });
      ok(result.reasoning.trimEnd().endsWith(message), `reasoning: ${result.reasoning}`);
      ok(!result.text.includes(message), `text: ${result.text}`);
      equal(result.reasoningEnd, "budget", "reasoningEnd");
    },
  },
  {
    name: "minimum turns an early end of the thoughts into the nudge",
    async run(_, context) {
      const { result: whole } = await think(context, undefined);
      const minimum = whole.usage.reasoning + 5;
      const nudge = "Wait, 4";
      const { result } = await think(context, { minimum, nudge });
      ok(result.reasoning.includes(nudge), `reasoning: ${result.reasoning}`);
      ok(result.reasoning.length > whole.reasoning.length, "it did not think longer");
      ok(result.usage.reasoning >= minimum, `usage.reasoning: ${result.usage.reasoning}, minimum ${minimum}`);
      ok(!(result.reasoning + result.text).includes("think>"), "a tag is left in the result");
    },
  },
  {
    name: "endReasoning() while it thinks makes it answer",
    async run(_, { model }) {
      const run = (await model()).chat(user(question), greedy);
      let thoughts = 0;
      let text = "";
      for await (const part of run) {
        if (part.type === "reasoning" && ++thoughts === 3) run.endReasoning();
        if (part.type === "text") text += part.text;
      }
      const result = await run.result();
      equal(result.reasoningEnd, "user", "reasoningEnd");
      equal(text.trim(), result.text, "the parts and the result");
      ok(result.text.length > 0, "no answer followed");
      ok(!result.reasoning.includes("carry"), `it thought to the end: ${result.reasoning}`);
    },
  },
  {
    name: "maxTokens inside the block ends with length, and the block is cut",
    async run(_, { model }) {
      const result = await (await model()).chat(user(question), { ...greedy, maxTokens: 10 }).result();
      equal(result.finishReason, "length", "finishReason");
      equal(result.reasoningEnd, "cut", "reasoningEnd");
      equal(result.text, "", "text");
      equal(result.usage.reasoning, 10, "usage.reasoning");
    },
  },
];
