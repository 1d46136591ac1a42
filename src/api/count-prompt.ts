import type { Part } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import type { CompleteOptions, Engine } from "../engine/engine.ts";
import { segmentsToText } from "../prompt/renderer.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { resolveSampling } from "./options.ts";

export type PrefillPart = Extract<Part, { type: "prefill" }>;

/** A prompt that was counted by evaluating it, so that its run finds it in the KV cache. */
export interface Counted {
  readonly tokens: number;
  /** Of these, so many were in the KV cache before. */
  readonly cached: number;
  readonly prefillMs: number;
}

/**
 * Counts by a completion of no tokens; a prompt that does not fit is counted without being evaluated.
 *
 * @param options.format Tried, too: a wrong one is refused here.
 * @throws {InferenceError} `grammar`, `crashed`
 */
export async function* countPrompt(
  engine: Engine,
  prompt: readonly PromptSegment[],
  { signal, format }: { signal?: AbortSignal | undefined; format?: CompleteOptions["format"] | undefined },
): AsyncGenerator<PrefillPart, Counted> {
  const options = {
    maxTokens: 0,
    sampling: resolveSampling({ temperature: 0 }, {}),
    stop: [],
    ...(signal ? { signal } : {}),
    ...(format ? { format } : {}),
  };
  let counted: Counted | undefined;
  try {
    for await (const event of engine.complete(prompt, options)) {
      if (event.type === "prefill") yield event;
      if (event.type !== "end") continue;
      const { usage, timings } = event;
      counted = { tokens: usage.prompt, cached: usage.cached, prefillMs: timings.prefillMs };
    }
  } catch (error) {
    const needed = InferenceError.is(error, "context-full") ? error.details?.["needed"] : undefined;
    if (typeof needed === "number") return { tokens: needed, cached: 0, prefillMs: 0 };
    throw error;
  }
  if (counted) return counted;
  throw new InferenceError(
    "crashed",
    "Cannot count the prompt: the engine ended without saying how long it is; load the model again",
  );
}

/** Has a prompt in the KV cache. @returns Its tokens. */
export async function evaluatePrompt(
  engine: Engine,
  prompt: readonly PromptSegment[],
  signal?: AbortSignal,
): Promise<number> {
  const steps = countPrompt(engine, prompt, { signal });
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value.tokens;
  }
}

/** An upper bound: no token is shorter than a byte, but a tokenizer may put one before and one after the text. */
export function mostTokens(prompt: readonly PromptSegment[]): number {
  const ids = prompt.reduce((sum, segment) => sum + (segment.kind === "tokens" ? segment.ids.length : 0), 0);
  return new TextEncoder().encode(segmentsToText(prompt)).length + ids + 2;
}
