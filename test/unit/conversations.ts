import * as fc from "fast-check";
import type { Message } from "../../src/contract.ts";

/** Well-formed histories: system messages, then turns of a user message, tool calls with their results, and an answer. */
export function conversations(content: fc.Arbitrary<string>): fc.Arbitrary<Message[]> {
  const system = content.map((text): Message => ({ role: "system", content: text }));
  const answer = fc
    .record({ content, reasoning: content }, { requiredKeys: ["content"] })
    .map((message): Message => ({ role: "assistant", ...message }));
  const call = fc.tuple(fc.uuid(), content, content).map(([id, said, result]): Message[] => [
    { role: "assistant", content: said, reasoning: "look it up", toolCalls: [{ id, name: "search", arguments: {} }] },
    { role: "tool", toolCallId: id, content: result },
  ]);
  const turn = fc
    .tuple(content, fc.array(call, { maxLength: 2 }), fc.option(answer))
    .map(([question, calls, last]): Message[] => [
      { role: "user", content: question },
      ...calls.flat(),
      ...(last ? [last] : []),
    ]);
  return fc
    .tuple(fc.array(system, { maxLength: 2 }), fc.array(turn, { maxLength: 5 }))
    .map(([systems, turns]) => [...systems, ...turns.flat()]);
}
