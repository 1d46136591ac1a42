import { InferenceError } from "../errors.ts";

/** A header that cannot be used: `what` completes the sentence "Cannot read NAME: ". */
export function headerError(
  file: string,
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): InferenceError {
  return new InferenceError("format", `Cannot read ${file}: ${what}`, {
    details: { file, ...details },
  });
}
