/** Stable machine-readable reasons; see {@link InferenceError}. */
export type ErrorCode =
  | "unsupported"
  | "network"
  | "integrity"
  | "format"
  | "memory"
  | "context-full"
  | "template"
  | "grammar"
  | "tool"
  | "busy"
  | "closed"
  | "crashed";

// Registered, so that two copies of the package (or two realms) recognise each other's errors.
const brand = Symbol.for("ruminate.InferenceError");

/**
 * What this library throws for everything but wrong arguments (`TypeError`, `RangeError`) and aborts (`signal.reason`).
 * The message names the action tried, the state seen and the state wanted.
 *
 * @example
 * ```ts
 * try {
 *   await loadModel("missing.gguf");
 * } catch (error) {
 *   if (InferenceError.is(error, "network")) console.error("offline?", error.message);
 *   else throw error;
 * }
 * ```
 */
export class InferenceError extends Error {
  /** Why it failed; stable across versions, unlike the message. */
  readonly code: ErrorCode;
  /** The numbers and names behind the message, such as `{ needed, limit }` in bytes for `memory`. */
  readonly details?: Readonly<Record<string, unknown>>;

  /** `cause`: the error that led to this one. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "InferenceError";
    Object.defineProperty(this, brand, { value: true });
    this.code = code;
    if (options.details) this.details = options.details;
  }

  /** Like `instanceof`, but also true across realms and duplicate copies of the package. */
  static is(value: unknown, code?: ErrorCode): value is InferenceError {
    if (typeof value !== "object" || value === null || !(brand in value)) return false;
    return code === undefined || ("code" in value && value.code === code);
  }
}
