import type { ContextConfig } from "../engine/engine.ts";
import { checkFits, estimateMemory } from "../gguf/estimate.ts";
import type { ModelHeader } from "../gguf/model-header.ts";

/** Half of the small quarter context that GLM's guide budgets for; a larger one is built when a request needs it. */
const firstSize = 8192;
const leastSize = 256;

/** What a model may hold on this host. Sizes are tokens. */
export interface MemoryFit {
  /** The context to start with. */
  readonly initial: ContextConfig;
  /** The largest context that fits beside the weights. */
  readonly largest: number;
}

/**
 * Sizes a model's context by its header, before any weight is fetched.
 *
 * @param limitBytes What the host allows the engine.
 * @param wanted Tokens asked for by number; undefined: as much as is sensible.
 * @throws {InferenceError} `memory` with `{ needed, limit }` in bytes, if not even a small context fits
 */
export function fitMemory(
  header: ModelHeader,
  limitBytes: number,
  { trained, wanted, kvType }: { trained: number; wanted: number | undefined; kvType: ContextConfig["kvType"] },
): MemoryFit {
  const least = wanted ?? Math.min(leastSize, trained);
  checkFits(estimateMemory(header, { contextSize: least, kvType }), limitBytes, header.label);
  const fits = (contextSize: number): boolean => estimateMemory(header, { contextSize, kvType }).total <= limitBytes;
  const largest = largestWhere(fits, least, Math.max(least, trained * 4));
  return { initial: { size: wanted ?? Math.min(trained, firstSize, largest), kvType }, largest };
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
