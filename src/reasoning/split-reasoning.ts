import { TagScanner } from "./tag-scanner.ts";
import type { ReasoningTags } from "./tags.ts";
import { resolveTags } from "./tags.ts";

/**
 * Splits a model's whole output into its thoughts and its visible text. A closing tag without an opening one closes a
 * block that the prompt opened.
 *
 * @param text Output of a model; never what a user wrote.
 * @param tags Default `<think>` and `</think>`.
 * @param options.open Whether the prompt opened a block; default: whether a closing tag comes before any opening one.
 * @returns The thoughts, and the text.
 * @throws {TypeError} if the tags are blank or one is part of the other
 *
 * @example
 * ```ts
 * splitReasoning("2 + 2 is 4\n</think>\nFour."); // { reasoning: "2 + 2 is 4", text: "Four.", open: false }
 * ```
 */
export function splitReasoning(
  text: string,
  tags?: ReasoningTags,
  options: { open?: boolean } = {},
): {
  /** All blocks, joined by a line break; without tags. */
  reasoning: string;
  /** What is not in a block. */
  text: string;
  /** Whether it all ends inside a block. */
  open: boolean;
} {
  const resolved = resolveTags(tags);
  const scanner = new TagScanner(resolved, { open: options.open ?? closesFirst(text, resolved) });
  const whole = { reasoning: "", text: "" };
  for (const part of [...scanner.push(text).parts, ...scanner.flush()]) whole[part.type] += part.text;
  return { ...whole, open: scanner.inside };
}

function closesFirst(text: string, { open, close }: ReasoningTags): boolean {
  const closing = text.indexOf(close);
  if (closing < 0) return false;
  const opening = text.indexOf(open);
  return opening < 0 || closing < opening;
}
