import { InferenceError } from "../errors.ts";
import { abortable, within } from "../waiting.ts";
import type { Transfer } from "./transfer.ts";
import { streamTransfer } from "./transfer.ts";
import type { Patience } from "../patience.ts";
import { PassingError, Retries, retryAfterOf, usualPatience } from "../patience.ts";

export interface HttpOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly signal?: AbortSignal | undefined;
  /** Default: 5 tries, 30 seconds without a byte. */
  readonly patience?: Patience | undefined;
}

/** What a server may say that it does not mean for ever. */
const passing: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/** An address for messages: without the user name and password that may stand in it, or the data. */
export function withoutSecrets(address: string): string {
  if (/^data:/i.test(address)) return "the data: address";
  try {
    const url = new URL(address);
    url.username = "";
    url.password = "";
    return url.href;
  } catch {
    return address;
  }
}

/** The last segment of an address's path, decoded; "model" if it has none. */
export function urlFileName(address: string): string {
  try {
    const last = new URL(address).pathname.split("/").at(-1) ?? "";
    return decodeURIComponent(last) || "model";
  } catch {
    return "model";
  }
}

/**
 * Fetches, and turns what can go wrong into one kind of error.
 *
 * @throws {InferenceError} `network`; or `signal.reason`
 */
export async function fetchOk(
  request: string | Request,
  options: HttpOptions & { headers?: HeadersInit },
): Promise<Response> {
  const address = withoutSecrets(typeof request === "string" ? request : request.url);
  const own = typeof request === "string" ? undefined : request.signal;
  const signal = own && options.signal ? AbortSignal.any([own, options.signal]) : (options.signal ?? own);
  let response: Response;
  try {
    const init: RequestInit = {
      ...(options.headers ? { headers: options.headers } : {}),
      ...(signal ? { signal } : {}),
    };
    signal?.throwIfAborted();
    response = await abortable(options.fetch(request, init), signal);
  } catch (cause) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (own?.aborted) throw own.reason;
    const why =
      cause instanceof Error
        ? [cause.message, cause.cause instanceof Error ? cause.cause.message : ""].filter(Boolean).join(": ")
        : String(cause);
    throw new PassingError(`Cannot fetch ${address}: ${why}`, { cause, details: { url: address } });
  }
  if (typeof response?.ok !== "boolean") {
    throw new TypeError(`Cannot fetch ${address}: the fetch that was given answered with no Response`);
  }
  if (response.ok) return response;
  await response.body?.cancel().catch(() => {});
  const message = `Cannot fetch ${address}: the server answered ${response.status} ${response.statusText}${hint(response.status)}`;
  const details = { url: address, status: response.status };
  if (!passing.includes(response.status)) throw new InferenceError("network", message, { details });
  throw new PassingError(message, { details, retryAfter: retryAfterOf(response.headers.get("retry-after")) });
}

/**
 * Fetches, and asks again where the server is busy (429, 503). What fails otherwise fails at once: nothing came yet, and
 * somebody waits to learn that the address is wrong or that there is no network.
 *
 * @throws {InferenceError} `network`; or `signal.reason`
 */
export async function fetchFirst(address: string, options: HttpOptions & { headers?: HeadersInit }): Promise<Response> {
  const { patience = usualPatience, signal } = options;
  const retries = new Retries(patience);
  for (;;) {
    try {
      return await fetchInTime(address, options);
    } catch (error) {
      const status = InferenceError.is(error) ? error.details?.["status"] : undefined;
      if (status !== 429 && status !== 503) throw error;
      await retries.wait(error, signal);
    }
  }
}

/** Fetches, and gives up on a server that does not begin to answer. */
export async function fetchInTime(
  address: string,
  options: HttpOptions & { headers?: HeadersInit },
): Promise<Response> {
  const { patience = usualPatience, signal } = options;
  const late = new AbortController();
  const cut = (): unknown => {
    const error = stalled(withoutSecrets(address), patience.stall);
    late.abort(error);
    return error;
  };
  const both = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  return within(fetchOk(address, { ...options, signal: both }), patience.stall, cut);
}

/** The error of a connection that brings nothing. */
export function stalled(label: string, milliseconds: number): PassingError {
  return new PassingError(`Cannot fetch ${label}: no byte came for ${milliseconds / 1000} seconds; try again`, {
    details: { url: label },
  });
}

function hint(status: number): string {
  if (status === 404) return "; is the address right?";
  if (status === 401 || status === 403)
    return "; it wants an authorized request: pass a `fetch` that adds your token, or a Request";
  if (status === 429 || status >= 500) return "; try again later";
  return "";
}

/** Whether the body is packed, so that lengths and ranges are not those of the file. */
export function isEncoded(response: Response): boolean {
  const encoding = response.headers.get("content-encoding");
  return encoding !== null && encoding !== "" && encoding !== "identity";
}

/** The bytes that a response will bring, or undefined where it does not say or says another length than the decoded one. */
export function bodySize(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  if (length === null || isEncoded(response)) return undefined;
  return /^\d+$/.test(length) && Number.isSafeInteger(Number(length)) ? Number(length) : undefined;
}

/**
 * A transfer over a response's body.
 *
 * @throws {TypeError} if the body is used already
 * @throws {InferenceError} `network` if the status is not 2xx
 */
export function responseTransfer(
  response: Response,
  about: { address: string; signal?: AbortSignal | undefined },
): Transfer {
  const label = withoutSecrets(about.address) || "the response";
  if (response.bodyUsed || response.body?.locked) throw new TypeError(`Cannot read ${label}: its body is used already`);
  const details = { url: label, status: response.status };
  if (!response.ok) {
    throw new InferenceError(
      "network",
      `Cannot read ${label}: the server answered ${response.status} ${response.statusText}`,
      { details },
    );
  }
  const name = urlFileName(about.address);
  const stream = response.body ?? new Blob([]).stream();
  return streamTransfer(stream, { name, size: bodySize(response), label, details, signal: about.signal });
}

/** Begins to fetch what a caller's own request asks for, as it stands. */
export async function requestTransfer(request: Request, options: HttpOptions): Promise<Transfer> {
  const { signal = request.signal } = options;
  return responseTransfer(await fetchOk(request, options), { address: request.url, signal });
}
