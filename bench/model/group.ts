import type { ContextOptions, GenerateOptions, KeepReasoning, Message, Model, Result } from "../../src/index.ts";
import type { Scores } from "./scores.ts";

/** What a group is given to run with. */
export interface Bench {
  /** Items a cell, at most. */
  readonly count: number;
  load(context: ContextOptions): Promise<Model>;
}

/** One kind of items, and how they are tried. */
export interface Group {
  /** Its heading in the card. */
  readonly title: string;
  /** What was done, for the card. */
  readonly about: string;
  /** What the rows of its table are. */
  readonly rows: string;
  run(bench: Bench): Promise<Scores>;
}

/**
 * A context that holds every item with plain RoPE. Left to itself the SDK would use YaRN as soon as a prompt and the new
 * tokens asked for exceed the trained length, and this model's arithmetic does not survive that.
 */
export const plainContext: ContextOptions = { size: 1024, extend: "off" };

export const user = (content: string): Message => ({ role: "user", content });

/** One greedy reply, with forced thinking unless the options say otherwise. */
export function ask(
  model: Model,
  messages: readonly Message[],
  options: GenerateOptions & { keepReasoning?: KeepReasoning } = {},
): Promise<Result> {
  return model.chat(messages, { temperature: 0, reasoning: "force", maxTokens: 300, ...options }).result();
}

/** Whether a reply shows the answer and nothing else. */
export function isRight({ text }: Pick<Result, "text">, answer: string): boolean {
  return text.trim() === answer;
}
