// Requests to a completion server: what is safe to repeat is repeated, what fails says why.
import type { Patience } from "../../patience.ts";
import { PassingError, Retries, retryAfterOf, usualPatience } from "../../patience.ts";

/** A server that is busy is asked sooner again than one of files: its answer is waited for. */
const patience: Patience = { ...usualPatience, tries: 4, firstDelay: 250, longestRetryAfter: 60_000 };
/** Of an answer that is no success, as much as goes into a message. */
const quoted = 300;

export interface RemoteAddress {
  /** Ends in a slash; paths are below it. */
  readonly base: URL;
  readonly apiKey: string | undefined;
  readonly fetch: typeof globalThis.fetch;
}

export interface RemoteCall {
  readonly path: string;
  /** Absent: a GET. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that is no success. */
export class RemoteRefusal extends Error {
  override readonly name: string = "RemoteRefusal";
  readonly status: number;
  /** What the server says is wrong, if it says it the way that OpenAI's does. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/**
 * Makes a request. 429 and 503, and a connection that fails before any answer, are tried again: nothing was generated yet.
 *
 * @throws {RemoteRefusal} if the server refuses it
 * @throws {InferenceError} `network` if the server can't be reached, or stays busy
 * @throws `signal.reason`
 */
export async function request(address: RemoteAddress, call: RemoteCall): Promise<Response> {
  const retries = new Retries(patience);
  for (;;) {
    try {
      return await attempt(address, call);
    } catch (error) {
      await retries.wait(error, call.signal);
    }
  }
}

/** @throws {PassingError} where it makes sense to ask again */
async function attempt(address: RemoteAddress, { path, body, signal }: RemoteCall): Promise<Response> {
  const url = new URL(path, address.base);
  const headers = new Headers({ accept: "application/json, text/event-stream" });
  if (address.apiKey !== undefined) headers.set("authorization", `Bearer ${address.apiKey}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await address.fetch(url, {
      headers,
      method: body === undefined ? "GET" : "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    const said = cause instanceof Error ? [cause.message, cause.cause instanceof Error ? cause.cause.message : ""] : [];
    const reason = said.filter((part) => part !== "").join(": ") || String(cause);
    throw new PassingError(`Cannot reach ${url.href}: ${reason}; is the server running?`, {
      cause,
      details: { url: url.href },
    });
  }
  if (response.ok) return response;
  const refusal = await refusalOf(response);
  const { status, message } = refusal;
  if (status !== 429 && status !== 503) throw refusal;
  throw new PassingError(`Cannot get an answer from ${url.href}: it is busy (${status} ${message})`, {
    cause: refusal,
    details: { url: url.href, status },
    retryAfter: retryAfterOf(response.headers.get("retry-after")),
  });
}

async function refusalOf(response: Response): Promise<RemoteRefusal> {
  const text = await response.text().catch(() => "");
  let details: Readonly<Record<string, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    const inner = isRecord(parsed) && isRecord(parsed["error"]) ? parsed["error"] : parsed;
    if (isRecord(inner)) details = inner;
  } catch {
    // Then the text itself is all there is.
  }
  const said = typeof details["message"] === "string" ? details["message"] : text.slice(0, quoted);
  return new RemoteRefusal(response.status, said === "" ? response.statusText : said, details);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
