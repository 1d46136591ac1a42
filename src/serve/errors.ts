import { InferenceError } from "../index.ts";
import type { ErrorCode } from "../index.ts";

/** What a refusal says beside its message. */
interface RefusalDetails {
  /** The field of the request that is to blame. */
  readonly param?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is answered with an error, in OpenAI's words. */
export class Refusal extends Error {
  readonly status: number;
  readonly param: string | undefined;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, { param, code, headers = {} }: RefusalDetails = {}) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.param = param;
    this.code = code;
    this.headers = headers;
  }
}

/** A field of the request that is wrong: 400. */
export function badField(param: string, message: string): Refusal {
  return new Refusal(400, message, { param, code: "invalid_value" });
}

/** Seconds after which a client may try a dead or crowded server again. */
const retryAfter = { "retry-after": "1" };

/** The model is not there; why is the server's own affair, since it may name what only the server may read. */
export function notLoaded(): Refusal {
  return new Refusal(503, "The model could not be loaded; the server's log says why", {
    code: "model_not_loaded",
    headers: retryAfter,
  });
}

/** What the codes of the library are over HTTP. What is not here is a failure of the server: 500. */
const statusOf: Partial<Record<ErrorCode, RefusalDetails & { status: number }>> = {
  "context-full": { status: 400, code: "context_length_exceeded" },
  grammar: { status: 400, code: "invalid_grammar", param: "response_format" },
  template: { status: 400, code: "invalid_template" },
  tool: { status: 400, code: "invalid_tool" },
  unsupported: { status: 400, code: "unsupported" },
  busy: { status: 429, code: "queue_full", headers: retryAfter },
  memory: { status: 503, code: "out_of_memory" },
  closed: { status: 503, code: "model_closed" },
  crashed: { status: 503, code: "model_crashed" },
};

/** The answer that an error becomes; what nobody foresaw tells the client nothing. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (InferenceError.is(error)) {
    const known = statusOf[error.code];
    return known
      ? new Refusal(known.status, error.message, known)
      : new Refusal(500, error.message, { code: error.code });
  }
  // The library's checks of arguments; what the request said is what they look at.
  if (error instanceof TypeError || error instanceof RangeError)
    return new Refusal(400, error.message, { code: "invalid_value" });
  return new Refusal(500, "The server failed to answer; its log says why", { code: "internal_error" });
}

/** OpenAI's shape of an error. */
export function errorBody({ message, status, param, code }: Refusal): object {
  return { error: { message, type: typeOf(status), param: param ?? null, code: code ?? null } };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

export function errorResponse(refusal: Refusal): Response {
  return Response.json(errorBody(refusal), { status: refusal.status, headers: refusal.headers });
}
