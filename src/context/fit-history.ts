import type { Message } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import { checkCount, checkMessages, dropOldestTurns } from "../turns.ts";

export interface FitOptions {
  /** The tokens of each message, in the order of the messages. */
  readonly counts: readonly number[];
  /** Tokens that the messages may have together. */
  readonly window: number;
  /**
   * "error" refuses a history that is too long. "drop-oldest" drops as few of the oldest turns as it takes. "shift" drops
   * them until at most half of the window is used: that forgets more, but only seldom, and after each cut the KV cache
   * serves many turns, where "drop-oldest" moves the start of the prompt in every turn of a long chat.
   */
  readonly overflow: "error" | "drop-oldest" | "shift";
}

/**
 * The messages that remain of a history in a window. A turn is a user message with all that answers it; turns are dropped
 * whole, system messages and the last turn never. A history that fits is returned as it is.
 *
 * @returns A new array of the same message objects.
 * @throws {TypeError} if the messages or the strategy are not of their kind
 * @throws {RangeError} if a number is not whole or below 0, or the counts are not as many as the messages
 * @throws {InferenceError} `context-full` with `{ needed, window }`: with "error" if the history does not fit, else if
 * system messages and last turn alone do not
 */
export function fitHistory(messages: readonly Message[], options: FitOptions): Message[] {
  const { counts, window, overflow } = options;
  checkMessages(messages);
  checkCount("window", window);
  if (counts.length !== messages.length) {
    throw new RangeError(
      `Cannot fit the history: ${counts.length} counts for ${messages.length} messages; give one for each`,
    );
  }
  for (const count of counts) checkCount("a message's count", count);
  const needed = counts.reduce((sum, count) => sum + count, 0);
  if (needed <= window) return [...messages];
  switch (overflow) {
    case "drop-oldest":
      return dropOldestTurns(messages, { counts, window });
    case "shift":
      return dropOldestTurns(messages, { counts, window, goal: Math.floor(window / 2) });
    case "error":
      throw new InferenceError(
        "context-full",
        `Cannot run the history: it has ${needed} tokens and ${window} are free; shorten it, enlarge the context, ` +
          'or set overflow to "shift" or "drop-oldest"',
        { details: { needed, window } },
      );
    default:
      throw new TypeError(
        `Cannot fit the history: overflow is ${JSON.stringify(overflow)}; use "error", "shift" or "drop-oldest"`,
      );
  }
}
