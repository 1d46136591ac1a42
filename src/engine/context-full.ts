import { InferenceError } from "../errors.ts";

/** What a prompt that leaves no room for a reply fails with. Numbers are tokens. */
export function contextFull(needed: number, window: number): InferenceError {
  return new InferenceError(
    "context-full",
    `Cannot run a prompt of ${needed} tokens: the context holds ${window}, the reply included; shorten the prompt or make the context larger`,
    { details: { needed, window } },
  );
}
