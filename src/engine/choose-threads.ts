import { threadSupport } from "../platform/features.ts";

/** How many threads an engine may use, and why not more. */
export interface ThreadChoice {
  readonly threads: number;
  readonly why: readonly string[];
}

/** Decoding is bound by memory: more threads than these only wait for each other. */
const mostThreads = 8;
/**
 * Bytes of weights below which threads wait for each other longer than they compute. wllama's threads spin while they
 * wait: on busy cores the small model took 1 s a reply with one thread and 10 to 60 s with two.
 */
const smallModelBytes = 2 ** 25;
/** Bytes from which a step is so long that waiting hardly counts, even where other programs take cores away. */
const largeModelBytes = 2 ** 29;

/**
 * How many threads to start, by what was asked for, what the host has and how large the model is.
 *
 * @param weightBytes Bytes of all the model's files.
 */
export function chooseThreads(wanted: number | "auto", weightBytes: number): ThreadChoice {
  const { threads: available, why } = threadSupport();
  if (wanted === "auto") {
    if (available === 1 || weightBytes < smallModelBytes) return { threads: 1, why };
    const sensible = weightBytes < largeModelBytes ? Math.ceil(available / 2) : available;
    return { threads: Math.min(sensible, mostThreads), why };
  }
  // More threads than cores are slow, but a caller may know better than what the host reports.
  const possible = available > 1 || typeof SharedArrayBuffer !== "undefined";
  return wanted <= 1 || possible ? { threads: Math.max(1, wanted), why: [] } : { threads: 1, why };
}
