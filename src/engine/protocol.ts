// What an engine's client and the worker that serves it say to each other.
import { InferenceError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import type { CompleteOptions, ContextConfig, EngineCapabilities, EngineEvent, EngineInfo } from "./engine.ts";

/** Errors lose their class on the way; this brings it back. */
export interface WireError {
  readonly kind: "inference" | "TypeError" | "RangeError";
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A file of weights, which stays with the client and is read there. */
export interface WireFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export type WireOptions = Omit<CompleteOptions, "signal">;

/** What an engine can be asked beside completions: a method's name and what it is given. */
export type Question =
  | { readonly method: "tokenize"; readonly text: string; readonly special: boolean }
  | { readonly method: "detokenize"; readonly tokens: Uint32Array }
  | { readonly method: "count"; readonly prompt: readonly PromptSegment[] }
  | { readonly method: "saveState" }
  | { readonly method: "restoreState"; readonly state: ArrayBuffer }
  | { readonly method: "embed"; readonly texts: readonly string[] }
  | { readonly method: "rank"; readonly query: string; readonly documents: readonly string[] };

/** Client to worker. `id` names one call; `Request` is what the engine's loader wants. */
export type ToWorker<Request> =
  | { readonly type: "load"; readonly id: number; readonly request: Request; readonly files: readonly WireFile[] }
  | { readonly type: "configure"; readonly id: number; readonly config: ContextConfig }
  | {
      readonly type: "complete";
      readonly id: number;
      readonly prompt: readonly PromptSegment[];
      readonly options: WireOptions;
    }
  | { readonly type: "ask"; readonly id: number; readonly question: Question }
  | { readonly type: "cancel"; readonly id: number }
  // Bytes travel as buffers: Deno looks at every element of a typed array in a message, which takes 0.2 s a megabyte.
  | { readonly type: "range"; readonly read: number; readonly bytes: ArrayBuffer; readonly length: number }
  | { readonly type: "range-failed"; readonly read: number; readonly error: WireError }
  | { readonly type: "close"; readonly id: number }
  | { readonly type: "ping" };

/** Worker to client. Every call is answered by exactly one `loaded`, `done` or `failed`. */
export type FromWorker =
  | {
      readonly type: "loaded";
      readonly id: number;
      readonly info: EngineInfo;
      readonly capabilities: EngineCapabilities;
    }
  | { readonly type: "event"; readonly id: number; readonly event: EngineEvent }
  | { readonly type: "done"; readonly id: number; readonly answer?: unknown }
  | { readonly type: "failed"; readonly id: number; readonly error: WireError }
  | {
      readonly type: "read";
      readonly read: number;
      readonly file: number;
      readonly offset: number;
      readonly length: number;
      /** For the bytes to come back in. */
      readonly into?: ArrayBuffer;
    }
  | { readonly type: "crashed"; readonly error: WireError }
  | { readonly type: "pong" };

/** Anything thrown, as data. What is neither ours nor a wrong argument is a fault of the engine: `crashed`. */
export function toWireError(error: unknown): WireError {
  if (InferenceError.is(error)) {
    const { code, message, details } = error;
    return { kind: "inference", code, message, ...(details ? { details } : {}) };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TypeError) return { kind: "TypeError", code: "crashed", message };
  if (error instanceof RangeError) return { kind: "RangeError", code: "crashed", message };
  return { kind: "inference", code: "crashed", message };
}

/** The error that {@link toWireError} took apart. */
export function fromWireError({ kind, code, message, details }: WireError): Error {
  if (kind === "TypeError") return new TypeError(message);
  if (kind === "RangeError") return new RangeError(message);
  return new InferenceError(code, message, details ? { details } : {});
}
