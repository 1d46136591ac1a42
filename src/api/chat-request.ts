import type { Message } from "../contract.ts";
import type { ContextOptions, GenerateOptions, SessionOptions } from "./contract.ts";

/** One chat turn, as it was asked for. */
export interface ChatRequest {
  readonly messages: readonly Message[];
  readonly options: GenerateOptions & Pick<SessionOptions, "keepReasoning">;
  /** Instead of the model's own context options. */
  readonly context?: ContextOptions;
  /** Told of the messages that are left, when the history had to be cut. */
  readonly onOverflow?: (kept: readonly Message[]) => void;
}
