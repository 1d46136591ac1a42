import type { Part, Result } from "../index.ts";

/** The parts of a run that a client is shown. */
export type ShownPart = Extract<Part, { type: "reasoning" | "text" | "tool-call" }>;

/** How one route writes down a run. It is given every part in order, whether or not the answer is streamed. */
export interface Form {
  /** Chunks before the first part. */
  begin(): readonly object[];
  /** The chunks that a part becomes. */
  take(part: ShownPart): readonly object[];
  /** Chunks after the last part. */
  end(result: Result): readonly object[];
  /** All of it in one object, for answers that are not streamed. */
  whole(result: Result): object;
}

/** What all objects of one answer have in common. */
export interface Envelope {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

export function createEnvelope(prefix: string, model: string): Envelope {
  const id = `${prefix}-${crypto.randomUUID().replaceAll("-", "")}`;
  return { id, created: Math.floor(Date.now() / 1000), model };
}

/** Tokens, as OpenAI counts them: thoughts are part of the completion. */
export function usageOf({ usage }: Result): object {
  const completion = usage.text + usage.reasoning;
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: completion,
    total_tokens: usage.prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

export function finishReasonOf({ finishReason }: Result): "stop" | "length" | "tool_calls" {
  if (finishReason === "tool-calls") return "tool_calls";
  return finishReason === "length" ? "length" : "stop";
}
