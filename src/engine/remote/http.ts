// Requests to a completion server: what is safe to repeat is repeated, what fails says why.
import { InferenceError } from "../../errors.ts";

/** Tries of a request that the server has not begun to answer. */
const tries = 4;
/** The first wait between two tries, in milliseconds; each next one is twice as long. */
const firstWaitMs = 500;
/** A server that wants more patience than this is not waited for, in milliseconds. */
const longestWaitMs = 60_000;
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
 * @throws {InferenceError} `network` if the server can't be reached
 * @throws `signal.reason`
 */
export async function request(address: RemoteAddress, call: RemoteCall): Promise<Response> {
  const url = new URL(call.path, address.base);
  for (let attempt = 1; ; attempt += 1) {
    call.signal?.throwIfAborted();
    const outcome = await attemptOnce(url, address, call);
    if (outcome instanceof Response && outcome.ok) return outcome;
    const waitMs = firstWaitMs * 2 ** (attempt - 1);
    if (outcome instanceof Response) {
      const asked = retryAfterMs(outcome.headers.get("retry-after"));
      const again = (outcome.status === 429 || outcome.status === 503) && attempt < tries;
      if (!again || (asked ?? 0) > longestWaitMs) throw await refusalOf(outcome);
      await outcome.body?.cancel();
      await pause(asked ?? waitMs, call.signal);
      continue;
    }
    if (attempt >= tries) {
      const reason = outcome.cause instanceof Error ? `${outcome.message}: ${outcome.cause.message}` : outcome.message;
      throw new InferenceError("network", `Cannot reach ${url.href}: ${reason}; is the server running?`, {
        cause: outcome,
        details: { url: url.href },
      });
    }
    await pause(waitMs, call.signal);
  }
}

/** @returns The answer, or what kept it from coming. */
async function attemptOnce(url: URL, address: RemoteAddress, { body, signal }: RemoteCall): Promise<Response | Error> {
  const headers = new Headers({ accept: "application/json, text/event-stream" });
  if (address.apiKey !== undefined) headers.set("authorization", `Bearer ${address.apiKey}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  try {
    return await address.fetch(url, {
      headers,
      method: body === undefined ? "GET" : "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    signal?.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
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

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
  signal?.throwIfAborted();
}
