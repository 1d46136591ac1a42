import type { Message } from "./contract.ts";
import { InferenceError } from "./errors.ts";

/** How far to shorten a history; counts are tokens. */
export interface DropOptions {
  /** The tokens of each message, in the order of the messages. */
  readonly counts: readonly number[];
  /** The most that may remain. */
  readonly window: number;
  /** Where to stop dropping, at most the window; default: the window. */
  readonly goal?: number;
  /** Turns at the start and at the end that stay; default 0 and 1. */
  readonly keepFirst?: number;
  readonly keepLast?: number;
}

/**
 * Drops whole turns, oldest first. A turn is a user message with all that answers it, so that no tool result loses its
 * call and no answer its question; what comes before the first user message is the oldest turn. System messages stay.
 *
 * @throws {InferenceError} `context-full` with `{ needed, window }` if what must stay exceeds the window
 */
export function dropOldestTurns(messages: readonly Message[], options: DropOptions): Message[] {
  const { counts, window, goal = window, keepFirst = 0, keepLast = 1 } = options;
  const turns: number[][] = [];
  messages.forEach((message, index) => {
    if (message.role === "system") return;
    const turn = turns.at(-1);
    if (message.role === "user" || !turn) turns.push([index]);
    else turn.push(index);
  });
  const tokens = (indices: readonly number[]): number => indices.reduce((sum, index) => sum + (counts[index] ?? 0), 0);
  const dropped = new Set<number>();
  let needed = tokens([...messages.keys()]);
  for (const turn of turns.slice(keepFirst, Math.max(keepFirst, turns.length - keepLast))) {
    if (needed <= goal) break;
    needed -= tokens(turn);
    for (const index of turn) dropped.add(index);
  }
  if (needed > window) {
    throw new InferenceError(
      "context-full",
      `Cannot shorten the history: what must stay has ${needed} tokens and ${window} are free; ` +
        "shorten the system message or the last turn, or enlarge the context",
      { details: { needed, window } },
    );
  }
  return messages.filter((_, index) => !dropped.has(index));
}

/** @throws {TypeError} if `messages` is not a list of messages */
export function checkMessages(messages: readonly Message[]): void {
  if (!Array.isArray(messages)) throw new TypeError("Cannot read the history: it must be an array of messages");
  const wrong = messages.findIndex((message: Message) => {
    if (!["system", "user", "assistant", "tool"].includes(message?.role)) return true;
    // OpenAI's clients send null beside tool calls; the prompt floor reads it as nothing said.
    const mayBeEmpty = message.role === "assistant" || message.role === "tool";
    return typeof message.content !== "string" && !(mayBeEmpty && (message.content ?? null) === null);
  });
  if (wrong >= 0) {
    throw new TypeError(
      `Cannot read message ${wrong}: it needs a role ("system", "user", "assistant" or "tool") and content that is a string`,
    );
  }
}

/** @throws {RangeError} if a count is not a whole number, 0 or more */
export function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot shorten the history: ${name} is ${value}; it must be a whole number, 0 or more`);
  }
}
