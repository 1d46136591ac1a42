import { InferenceError } from "../errors.ts";
import { abortable } from "./abortable.ts";
import type { Transfer } from "./download.ts";
import { streamTransfer } from "./download.ts";

export interface HttpOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly signal?: AbortSignal | undefined;
}

const firstRange = 2 ** 20;
const laterRange = 2 * 2 ** 20;

/** An address for messages: without the user name and password that may stand in it, or the data. */
function withoutSecrets(address: string): string {
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
    throw new InferenceError("network", `Cannot fetch ${address}: ${why}`, { cause, details: { url: address } });
  }
  if (typeof response?.ok !== "boolean") {
    throw new TypeError(`Cannot fetch ${address}: the fetch that was given answered with no Response`);
  }
  if (response.ok) return response;
  await response.body?.cancel().catch(() => {});
  throw new InferenceError(
    "network",
    `Cannot fetch ${address}: the server answered ${response.status} ${response.statusText}${hint(response.status)}`,
    {
      details: { url: address, status: response.status },
    },
  );
}

function hint(status: number): string {
  if (status === 404) return "; is the address right?";
  if (status === 401 || status === 403)
    return "; it wants an authorized request: pass a `fetch` that adds your token, or a Request";
  if (status === 429 || status >= 500) return "; try again later";
  return "";
}

function isEncoded(response: Response): boolean {
  const encoding = response.headers.get("content-encoding");
  return encoding !== null && encoding !== "" && encoding !== "identity";
}

/** The bytes that a response will bring, or undefined where it does not say or says another length than the decoded one. */
function bodySize(response: Response): number | undefined {
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

interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number;
}

/** Reads `Content-Range`; undefined if it is hidden (CORS) or does not say the whole length. */
function contentRange(response: Response): ContentRange | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (!match) return undefined;
  const [start = NaN, end = NaN, total = NaN] = match.slice(1).map(Number);
  return Number.isSafeInteger(total) && start <= end && end < total ? { start, end, total } : undefined;
}

/** Ranges of one file, for its header; then one long response for the rest. */
class RangeTransfer implements Transfer {
  readonly name: string;
  readonly size: number;
  readonly label: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly #address: string;
  readonly #options: HttpOptions;
  readonly #etag: string | null;
  #stream: Transfer;
  #at = 0;
  #rushing = false;

  constructor(address: string, first: Response, about: { total: number; options: HttpOptions }) {
    this.#address = address;
    this.#options = about.options;
    this.#etag = first.headers.get("etag");
    this.#stream = responseTransfer(first, { address, signal: about.options.signal });
    this.name = this.#stream.name;
    this.label = this.#stream.label;
    this.details = this.#stream.details;
    this.size = about.total;
  }

  async next(wanted: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const chunk = await this.#stream.next(wanted, signal);
    if (chunk) {
      this.#at += chunk.byteLength;
      return chunk;
    }
    if (this.#rushing || this.#at >= this.size) return undefined;
    const end = Math.min(this.#at + Math.max(wanted, laterRange), this.size) - 1;
    await this.#open(`bytes=${this.#at}-${end}`, signal);
    const first = await this.#stream.next(wanted, signal);
    this.#at += first?.byteLength ?? 0;
    return first;
  }

  async rush(signal: AbortSignal | undefined): Promise<void> {
    if (this.#rushing || this.#at >= this.size) return;
    await this.#stream.cancel();
    await this.#open(`bytes=${this.#at}-`, signal);
    this.#rushing = true;
  }

  async #open(range: string, signal: AbortSignal | undefined): Promise<void> {
    const options = { fetch: this.#options.fetch, signal: signal ?? this.#options.signal };
    const response = await fetchOk(this.#address, { ...options, headers: { Range: range } });
    const answer = contentRange(response);
    // Not by If-Range: browsers would ask the server's permission for it first, and most refuse.
    const isSame = answer?.total === this.size && response.headers.get("etag") === this.#etag;
    if (response.status !== 206 || answer?.start !== this.#at || !isSame || isEncoded(response)) {
      await response.body?.cancel().catch(() => {});
      throw new InferenceError(
        "network",
        `Cannot fetch ${this.label}: asked for ${range} of ${this.size} bytes, the server answered ${response.status} with ${response.headers.get("content-range") ?? "no range"}; the file seems to have changed, try again`,
        { details: { ...this.details, status: response.status, range } },
      );
    }
    this.#stream = responseTransfer(response, { address: this.#address, signal: options.signal });
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#stream.cancel(reason);
  }
}

/**
 * Begins to fetch a file: its first MiB where the server answers ranges, else the beginning of the one response.
 *
 * @throws {InferenceError} `network`; or `signal.reason`
 */
export async function urlTransfer(address: string, options: HttpOptions): Promise<Transfer> {
  const response = await fetchOk(address, { ...options, headers: { Range: `bytes=0-${firstRange - 1}` } });
  if (response.status !== 206) return responseTransfer(response, { address, signal: options.signal });
  const answer = contentRange(response);
  if (answer?.start === 0 && !isEncoded(response)) {
    return new RangeTransfer(address, response, { total: answer.total, options });
  }
  // The length is hidden or the bytes are packed: one whole response tells what ranges do not.
  await response.body?.cancel().catch(() => {});
  return responseTransfer(await fetchOk(address, options), { address, signal: options.signal });
}

/** Begins to fetch what a caller's own request asks for, as it stands. */
export async function requestTransfer(request: Request, options: HttpOptions): Promise<Transfer> {
  const { signal = request.signal } = options;
  return responseTransfer(await fetchOk(request, options), { address: request.url, signal });
}
