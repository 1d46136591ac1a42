import { detectRuntime } from "../platform/detect.ts";
import { probeFeatures } from "../platform/features.ts";
import type { Capabilities } from "./contract.ts";

/**
 * What this host can do, and for each thing that it cannot, why, in a sentence that says how to get it.
 *
 * `threads`: at least 1. `maxMemory`: bytes that a model may take with everything around it. Changes nothing.
 *
 * @example
 * ```ts
 * const { threads, why } = await capabilities();
 * if (threads === 1) console.log(why.join("\n"));
 * ```
 */
export async function capabilities(): Promise<Capabilities> {
  return { runtime: detectRuntime(), ...(await probeFeatures()) };
}
