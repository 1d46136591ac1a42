import type { ContextConfig } from "../engine/engine.ts";
import { checkFits, estimateMemory } from "../gguf/estimate.ts";
import type { ModelHeader } from "../gguf/model-header.ts";
import { usualReply } from "./context-window.ts";

/** Tokens of prompt that the first context has room for beside a reply; a larger one is built when a request needs it. */
const firstPrompt = 4096;
const leastSize = 256;

/** What a model may hold on this host. Sizes are tokens. */
export interface MemoryFit {
  /** The context to start with. */
  readonly initial: ContextConfig;
  /** Bytes that the model takes with that context. */
  readonly initialBytes: number;
  /** The largest context that fits beside the weights. */
  readonly largest: number;
}

/** What the first context is to hold. Counts are tokens. */
export interface FitRequest {
  readonly trained: number;
  /** Asked for by number; undefined: as much as is sensible. */
  readonly wanted: number | undefined;
  /** New tokens that the model's maker recommends to leave room for. */
  readonly reply: number | undefined;
  readonly kvType: ContextConfig["kvType"];
}

/**
 * Sizes a model's context by its header, before any weight is fetched.
 *
 * @param limitBytes What the host allows the engine.
 * @throws {InferenceError} `memory` with `{ needed, limit }` in bytes, if not even a small context fits
 */
export function fitMemory(
  header: ModelHeader,
  limitBytes: number,
  { trained, wanted, reply = usualReply, kvType }: FitRequest,
): MemoryFit {
  const least = wanted ?? Math.min(leastSize, trained);
  checkFits(estimateMemory(header, { contextSize: least, kvType }), limitBytes, header.label);
  const fits = (contextSize: number): boolean => estimateMemory(header, { contextSize, kvType }).total <= limitBytes;
  const largest = largestWhere(fits, least, Math.max(least, trained * 4));
  const size = wanted ?? Math.min(trained, firstPrompt + reply, largest);
  return {
    initial: { size, kvType },
    initialBytes: estimateMemory(header, { contextSize: size, kvType }).total,
    largest,
  };
}

/** The largest number in [low, high] for which a monotone test holds; it must hold for `low`. */
function largestWhere(test: (value: number) => boolean, low: number, high: number): number {
  if (test(high)) return high;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (test(middle)) low = middle;
    else high = middle;
  }
  return low;
}
