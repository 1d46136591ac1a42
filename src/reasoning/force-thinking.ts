import type { ReasoningTags } from "./tags.ts";
import { resolveTags } from "./tags.ts";

/**
 * Opens the thinking block at the end of a prompt, once: the result ends in the opening tag and a line break. Adds only
 * what is missing, so that doing it twice changes nothing. After an empty block, as templates write with thinking
 * switched off, a new block is opened: text is added, never taken away.
 *
 * @param prompt Rendered prompt that ends in a generation prompt.
 * @param tags Default `<think>` and `</think>`.
 * @throws {TypeError} if the tags are blank or one is part of the other
 *
 * @example
 * ```ts
 * forceThinking("<|assistant|>\n<think>"); // "<|assistant|>\n<think>\n"
 * ```
 */
export function forceThinking(prompt: string, tags?: ReasoningTags): string {
  return prompt + missingThinkingPrefix(prompt, tags);
}

/**
 * What `forceThinking` adds to a prompt: `""`, a line break, or the opening tag and a line break.
 *
 * @throws {TypeError} if the tags are blank or one is part of the other
 */
export function missingThinkingPrefix(prompt: string, tags?: ReasoningTags): string {
  const { open } = resolveTags(tags);
  const end = prompt.trimEnd();
  if (!end.endsWith(open)) return `${open}\n`;
  return prompt.slice(end.length).includes("\n") ? "" : "\n";
}

/**
 * How a prompt must go on for a mode of thinking, and whether the output then begins inside a block.
 *
 * @param mode `force` opens a block; `off` closes the one that the template opened; `auto` leaves the prompt alone.
 * @returns What to append, and whether a block is open then.
 * @throws {TypeError} if the tags are blank or one is part of the other
 */
export function startThinking(
  prompt: string,
  mode: "auto" | "force" | "off",
  tags?: ReasoningTags,
): {
  /** Control text for the end of the prompt; may be empty. */
  append: string;
  /** Whether a block is open after it. */
  open: boolean;
} {
  const { open, close } = resolveTags(tags);
  if (mode === "force") return { append: missingThinkingPrefix(prompt, tags), open: true };
  const opened = prompt.trimEnd().endsWith(open);
  if (mode === "auto" || !opened) return { append: "", open: opened };
  return { append: `${missingThinkingPrefix(prompt, tags)}${close}\n`, open: false };
}
