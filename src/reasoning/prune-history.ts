import type { KeepReasoning, Message } from "../contract.ts";
import { checkCount, checkMessages, dropOldestTurns } from "../turns.ts";
import type { ReasoningTags } from "./tags.ts";
import { resolveTags } from "./tags.ts";

/** What {@link pruneHistory} keeps. */
export interface PruneOptions {
  /** "none" (default); "since-last-user": thoughts after the last user message stay, for tool loops; "all". */
  keepReasoning?: KeepReasoning;
  /** Tokens that the pruned history may have; needs `count`. */
  maxTokens?: number;
  /** The tokens of one message, as it stands after its thoughts were removed. */
  count?: (message: Message) => number;
  /** Oldest turns that are never dropped; default 0. */
  keepFirst?: number;
  /** Newest turns that are never dropped; default 1. */
  keepLast?: number;
  /** Default `<think>` and `</think>`. */
  tags?: ReasoningTags;
}

/**
 * Removes hidden thoughts from a history, and whole turns, oldest first, from one that is too long. Of an assistant's
 * message it keeps what follows the last closing tag; user, system and tool messages are never altered. A turn is a user
 * message with all that answers it; system messages always stay.
 *
 * @returns A new array; messages without thoughts are the same objects.
 * @throws {TypeError} if the messages or options are not of their kind, or `maxTokens` comes without `count`
 * @throws {RangeError} if a number is not whole or below 0
 * @throws {InferenceError} `context-full` with `{ needed, window }` if what must stay exceeds `maxTokens`
 *
 * @example
 * ```ts
 * pruneHistory([{ role: "assistant", content: "<think>\n2 + 2\n</think>\nFour." }]);
 * // [{ role: "assistant", content: "Four." }]
 * ```
 */
export function pruneHistory(messages: readonly Message[], options: PruneOptions = {}): Message[] {
  const { keepReasoning = "none", maxTokens, count, keepFirst = 0, keepLast = 1 } = options;
  checkMessages(messages);
  if (!["none", "since-last-user", "all"].includes(keepReasoning)) {
    throw new TypeError(
      `Cannot prune the history: keepReasoning is ${JSON.stringify(keepReasoning)}; it must be "none", "since-last-user" or "all"`,
    );
  }
  checkCount("keepFirst", keepFirst);
  checkCount("keepLast", keepLast);
  const tags = resolveTags(options.tags);
  const kept = firstKept(messages, keepReasoning);
  const pruned = messages.map((message, index) => (index < kept ? withoutThoughts(message, tags) : message));
  if (maxTokens === undefined) return pruned;
  checkCount("maxTokens", maxTokens);
  if (typeof count !== "function") {
    throw new TypeError(
      "Cannot prune the history to maxTokens: count must be a function that tells a message's tokens",
    );
  }
  const counts = pruned.map((message) => {
    const tokens = count(message);
    checkCount("a message's count", tokens);
    return tokens;
  });
  return dropOldestTurns(pruned, { counts, window: maxTokens, keepFirst, keepLast });
}

/** Index of the first message whose thoughts stay. */
function firstKept(messages: readonly Message[], keepReasoning: KeepReasoning): number {
  if (keepReasoning === "all") return 0;
  if (keepReasoning === "none") return messages.length;
  return messages.findLastIndex(({ role }) => role === "user") + 1;
}

function withoutThoughts(message: Message, tags: ReasoningTags): Message {
  if (message.role !== "assistant") return message;
  const content = message.content === null ? message.content : visible(message.content, tags);
  if (content === message.content && message.reasoning === undefined) return message;
  const { reasoning: _, ...rest } = message;
  return { ...rest, content };
}

/** What the user saw: the text after the last closing tag, and nothing of a block that was never closed. */
function visible(content: string, { open, close }: ReasoningTags): string {
  const end = content.lastIndexOf(close);
  const rest = end < 0 ? content : content.slice(end + close.length).replace(/^[\r\n]+/, "");
  return rest.trimStart().startsWith(open) ? "" : rest;
}
