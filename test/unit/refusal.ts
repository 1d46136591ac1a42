import { InferenceError } from "../../src/errors.ts";

/** The error that something is refused with. */
export async function refusal(work: Promise<unknown>): Promise<InferenceError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!InferenceError.is(error)) throw new Error(`expected an InferenceError, got ${String(error)}`);
  return error;
}
