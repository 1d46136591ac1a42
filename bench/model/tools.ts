import { isDeepStrictEqual } from "node:util";
import type { Message, Model, Result, ToolCall } from "../../src/index.ts";
import { ask, type Group, isRight, plainContext, user } from "./group.ts";
import { type Items, readItems } from "./items.ts";
import { Scores } from "./scores.ts";

const mostRounds = 6;

export const tools: Group = {
  title: "Tools, end to end",
  about:
    "Calls are answered with scripted results, for at most six rounds. Right: exactly the expected calls in their order, and\n" +
    "then the right answer. The last eight tasks expect no call, and all but the first of these offer no tools.",
  rows: "task",
  async run({ count, load }) {
    const scores = new Scores();
    await using model = await load(plainContext);
    for (const item of readItems("tools", count)) {
      const { reply, made } = await follow(model, item);
      const rightCalls = areExpected(made, item);
      scores.note({ task: item.task, way: "right", right: rightCalls && isRight(reply, item.answer) });
      scores.note({ task: item.task, way: "right calls alone", right: rightCalls });
    }
    return scores;
  },
};

/** Answers the model's calls until it makes none, or too many. */
async function follow(model: Model, item: Items["tools"]): Promise<{ reply: Result; made: readonly ToolCall[] }> {
  const messages: Message[] = [user(item.question)];
  if (item.system !== undefined) messages.unshift({ role: "system", content: item.system });
  const made: ToolCall[] = [];
  for (let round = 1; ; round++) {
    const reply = await ask(model, messages, item.tools.length > 0 ? { tools: item.tools } : {});
    const calls = reply.message.toolCalls ?? [];
    made.push(...calls);
    if (calls.length === 0 || round === mostRounds) return { reply, made };
    messages.push(reply.message);
    for (const call of calls) messages.push({ role: "tool", toolCallId: call.id, content: resultOf(call, item) });
  }
}

function resultOf(call: ToolCall, { calls }: Items["tools"]): string {
  const listed = calls.find(([name, given]) => call.name === name && isDeepStrictEqual(call.arguments, given));
  return listed?.[2] ?? "not found";
}

function areExpected(made: readonly ToolCall[], { calls }: Items["tools"]): boolean {
  return isDeepStrictEqual(
    made.map((call) => [call.name, call.arguments]),
    calls.map(([name, given]) => [name, given]),
  );
}
