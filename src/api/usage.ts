import type { Result } from "../contract.ts";

/** The tokens of two turns together. */
export function addUsage(first: Result["usage"], second: Result["usage"]): Result["usage"] {
  return {
    prompt: first.prompt + second.prompt,
    cached: first.cached + second.cached,
    text: first.text + second.text,
    reasoning: first.reasoning + second.reasoning,
  };
}
