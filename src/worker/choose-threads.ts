import type { ThreadChoice } from "../engine/wllama.ts";
import { threadSupport } from "../platform/features.ts";

/**
 * Half of the cores, and not more than these: the module's threads spin while they wait for each other, so that on cores
 * which others use too they are slower than one (measured: 3.7 against 90 tokens/s with two threads on two busy cores).
 */
const mostThreads = 8;

/** How many threads to start, by what was asked for and what the host has. */
export function chooseThreads(wanted: number | "auto"): ThreadChoice {
  const { threads: available, why } = threadSupport();
  if (wanted === "auto") return { threads: Math.min(Math.max(1, Math.floor(available / 2)), mostThreads), why };
  if (wanted <= 1 || available > 1 || why.length === 0) return { threads: Math.max(1, wanted), why: [] };
  return { threads: 1, why };
}
