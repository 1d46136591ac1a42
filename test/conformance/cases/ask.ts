import type { GenerateOptions, Generation, Message, Model, Part, Result } from "../../../src/index.ts";
import { equal, ok } from "../assert.ts";

/** A question that the bundled model answers right, and what it answers. */
export const question = "What is 47 + 85?";
export const answer = "132";

/** Greedy, so that every runtime gives the same text. */
export const greedy: GenerateOptions = { temperature: 0, maxTokens: 160 };

/** One message of a user. */
export function user(content: string): readonly Message[] {
  return [{ role: "user", content }];
}

/** Runs to the end, keeping every part. */
export async function collect(generation: Generation): Promise<{ parts: Part[]; result: Result }> {
  const parts: Part[] = [];
  for await (const part of generation) parts.push(part);
  const last = parts.at(-1);
  ok(last?.type === "finish", `the last part should be "finish", not ${String(last?.type)}`);
  return { parts, result: last.result };
}

/** What the parts of one type say together. */
export function joined(parts: readonly Part[], type: "text" | "reasoning"): string {
  return parts.map((part) => (part.type === type ? part.text : "")).join("");
}

/** Asserts that the model answers the question, and so is usable. */
export async function answers(model: Model): Promise<void> {
  const result = await model.chat(user(question), greedy).result();
  equal(result.text, answer, "the answer");
}
