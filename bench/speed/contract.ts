// What the benchmark and the processes and pages that it starts tell each other.
import type { LoadOptions } from "../../src/index.ts";

/** One load of a model, one first run and some more. Written as JSON, so that it goes through a command line or address. */
export interface Job {
  /** Path, or in a page URL, of a GGUF file. */
  readonly model: string;
  readonly threads: number;
  /** Tokens to evaluate, and tokens to generate. */
  readonly prompt: number;
  readonly reply: number;
  /** Runs after the first. */
  readonly warm: number;
  /** What `loadModel()` is asked for; native llama.cpp ignores it. */
  readonly load: Pick<LoadOptions, "engine" | "memory" | "simd">;
  /** What a page imports as the SDK. */
  readonly sdk?: string;
  /** The module that native llama.cpp takes its binaries from; absent: its own package. */
  readonly binaries?: string;
}

export interface Run {
  /** Tokens that were evaluated. */
  readonly prompt: number;
  readonly prefillMs: number;
  /** Tokens that were generated. */
  readonly reply: number;
  readonly decodeMs: number;
}

export type Report =
  /** `what`: engine and variant as it runs; `runtime`: its name and version. */
  | { readonly type: "loaded"; readonly ms: number; readonly what: string; readonly runtime: string }
  | { readonly type: "run"; readonly run: Run }
  /** `peakBytes`: the most memory that the process had; absent where it can't know. */
  | { readonly type: "end"; readonly peakBytes?: number }
  | { readonly type: "error"; readonly message: string };

/** Tokens of context that a job needs; round, since some engines round up and others would then have less. */
export function contextSize({ prompt, reply }: Pick<Job, "prompt" | "reply">): number {
  return Math.ceil((prompt + reply + 1) / 256) * 256;
}

/** A text with one token a digit, which no earlier run's begins like: a KV cache would spare its evaluation. */
export function promptDigits(length: number, run: number): string {
  return Array.from({ length }, (_, at) => (at * 7 + run) % 10).join("");
}
