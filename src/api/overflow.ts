import { fitHistory } from "../context/fit-history.ts";
import type { Message } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import type { ContextOptions } from "./contract.ts";
import { ownMessages } from "./own-copies.ts";
import { contextFull } from "./context-window.ts";

/** A history that did not fit. Counts are tokens. */
export interface Overflow {
  readonly strategy: Exclude<ContextOptions["overflow"], "error" | undefined>;
  /** Of the prompt and the reply that it has to leave room for. */
  readonly needed: number;
  readonly reply: number;
  readonly window: number;
  readonly signal: AbortSignal;
  /** Runs the caller's function while others may use the engine: it may ask this very model for a summary. */
  readonly outside: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * A shorter history, by the caller's strategy.
 *
 * @throws {InferenceError} `context-full` if no turn is left that could be dropped; whatever the caller's function throws
 */
export async function shortenHistory(
  messages: readonly Message[],
  { strategy, needed, reply, window, signal, outside }: Overflow,
): Promise<readonly Message[]> {
  if (typeof strategy === "function") {
    return ownMessages(await outside(async () => strategy({ messages, needed, window, signal })));
  }
  const room = window - reply;
  if (room < 1) throw contextFull(needed, window);
  // Only the whole prompt was counted; its tokens are shared out by length, and all of them exceed the room.
  const lengths = messages.map(lengthOf);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const counts = lengths.map((length) => Math.ceil((length / total) * (needed - reply)));
  try {
    return fitHistory(messages, { counts, window: room, overflow: strategy });
  } catch (error) {
    throw InferenceError.is(error, "context-full") ? contextFull(needed, window) : error;
  }
}

function lengthOf(message: Message): number {
  const calls = message.role === "assistant" ? message.toolCalls : undefined;
  // What a template writes around each message takes some tokens, too.
  return JSON.stringify([message.content, calls ?? ""]).length + 16;
}
