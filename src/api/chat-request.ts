import type { Message } from "../contract.ts";
import type { ContextOptions, GenerateOptions, SessionOptions } from "./contract.ts";

/** What a conversation has become, and how many tokens its last turn took. */
export interface ConversationEnd {
  readonly messages: readonly Message[];
  readonly contextTokens: number;
}

/** One chat turn, as it was asked for. */
export interface ChatRequest {
  readonly messages: readonly Message[];
  readonly options: GenerateOptions & Pick<SessionOptions, "keepReasoning">;
  /** Instead of the model's own context options. */
  readonly context?: ContextOptions;
  /** Told of the messages that are left, when the history had to be cut. */
  readonly onOverflow?: (kept: readonly Message[]) => void;
  /** Told what is wrong with a tool call that could not be read, in words for the model. */
  readonly onUnreadable?: (why: string) => void;
  /** Told before the last `finish`. */
  readonly onEnd?: (end: ConversationEnd) => void;
}
