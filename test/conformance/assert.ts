import type { ErrorCode } from "../../src/index.ts";
import type { Sdk } from "./contract.ts";

/** Throws unless `condition` holds. */
export function ok(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless both are the same: by value for plain data, by identity for the rest. */
export function equal<T>(actual: T, expected: T, what: string): void {
  if (Object.is(actual, expected)) return;
  const [seen, wanted] = [show(actual), show(expected)];
  if (typeof expected === "object" && expected !== null && seen === wanted) return;
  throw new Error(`${what}: got ${seen}, expected ${wanted}`);
}

/** Throws unless `run` rejects or throws; returns what it threw. */
export async function failure(run: () => unknown, what: string): Promise<unknown> {
  let value: unknown;
  try {
    value = await run();
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: it should have failed, but gave ${show(value)}`);
}

/** Throws unless `run` fails with an InferenceError of this code (or of one of these). */
export async function failsWith(
  sdk: Sdk,
  code: ErrorCode | readonly ErrorCode[],
  run: () => unknown,
): Promise<InstanceType<Sdk["InferenceError"]>> {
  const codes = typeof code === "string" ? [code] : code;
  const error = await failure(run, `expected InferenceError ${codes.join(" or ")}`);
  ok(sdk.InferenceError.is(error), `expected InferenceError ${codes.join(" or ")}, got ${show(error)}`);
  ok(codes.includes(error.code), `expected code ${codes.join(" or ")}, got ${error.code}: ${error.message}`);
  ok(error.message.length > 20, `the message should say what was tried, seen and wanted: ${error.message}`);
  return error;
}

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (value instanceof Error) {
    const code = "code" in value ? ` (${String(value.code)})` : "";
    const cause = value.cause === undefined ? "" : `; cause: ${show(value.cause)}`;
    return `${value.name}${code}: ${value.message}${cause}`;
  }
  try {
    const text = JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? [...part] : part));
    return text === undefined ? String(value) : text.length > 600 ? `${text.slice(0, 600)}…` : text;
  } catch {
    return String(value);
  }
}
