import { detectRuntime } from "../platform/detect.ts";
import type { Transfer } from "./transfer.ts";
import type { HttpOptions } from "./http.ts";
import { bodySize, fetchFirst, fetchInTime, isEncoded, stalled, urlFileName, withoutSecrets } from "./http.ts";
import type { Validators } from "./http-ranges.ts";
import { changedError, contentRange, ifRange, sameFile, validatorsOf } from "./http-ranges.ts";
import { linkedDigest } from "./linked-digest.ts";
import type { Patience } from "../patience.ts";
import { PassingError, Retries, usualPatience } from "../patience.ts";
import { within } from "../waiting.ts";
import { InferenceError } from "../errors.ts";

const firstRange = 2 ** 20;
const laterRange = 2 * 2 ** 20;

/** The part of a file that is here, and what was said about it when it came. */
export interface Resume {
  readonly at: number;
  readonly size: number;
  readonly validators: Validators;
}

export interface TransferOptions extends HttpOptions {
  /** Asks for no ranges: for servers that lie about them. */
  readonly plain?: boolean | undefined;
  readonly resume?: Resume | undefined;
}

/** The body of one response. */
interface Body {
  readonly reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  /** The byte after its last one; undefined where it did not say. */
  readonly end: number | undefined;
  /** Bytes of it that are here already, where the whole came in place of a range. */
  skip: number;
}

/** One file over http: ranges for its header, one long response for the rest, and another after each that broke. */
export class HttpTransfer implements Transfer {
  readonly name: string;
  readonly size: number | undefined;
  readonly label: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The first byte that it brings: 0, or where a part ends. */
  readonly start: number;
  readonly validators: Validators;
  /** SHA-256 that the server told of, in hexadecimal. */
  readonly sha256: string | undefined;
  /** Whether another address than the one asked has answered. */
  readonly redirected: boolean;
  readonly #address: string;
  readonly #options: HttpOptions;
  readonly #patience: Patience;
  readonly #retries: Retries;
  readonly #cancelled: AbortController = new AbortController();
  #body: Body | undefined;
  #at: number;
  #rushing: boolean;

  constructor(
    address: string,
    first: Response,
    about: { options: HttpOptions; size: number | undefined; start: number; skip: number; end: number | undefined },
  ) {
    this.#address = address;
    this.#options = about.options;
    this.#patience = about.options.patience ?? usualPatience;
    this.#retries = new Retries(this.#patience);
    this.name = urlFileName(address);
    this.label = withoutSecrets(address);
    this.details = { url: this.label, status: first.status };
    this.size = about.size;
    this.start = about.start;
    this.validators = validatorsOf(first);
    this.sha256 = linkedDigest(first.headers);
    this.redirected = first.redirected;
    this.#at = about.start;
    // Without ranges the one response is the long one.
    this.#rushing = first.status !== 206;
    this.#body = bodyOf(first, about);
  }

  async next(wanted: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      try {
        if (this.#body === undefined) {
          if (this.size !== undefined && this.#at >= this.size) return undefined;
          this.#body = await this.#ask(wanted, this.#signal(signal));
        }
        const chunk = await this.#read(this.#body);
        if (chunk) {
          this.#at += chunk.byteLength;
          this.#retries.progressed();
          return chunk;
        }
        if (this.#ended(this.#body)) return undefined;
        this.#body = undefined;
      } catch (error) {
        this.#drop(error);
        await this.#retries.wait(error, this.#signal(signal));
      }
    }
  }

  /** The next bytes of a body that are not here yet; undefined at its end. */
  async #read(body: Body): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const { stall } = this.#patience;
      const { done, value } = await this.#passing(within(body.reader.read(), stall, () => stalled(this.label, stall)));
      if (done) return undefined;
      if (body.skip >= value.byteLength) {
        body.skip -= value.byteLength;
        continue;
      }
      const chunk = value.subarray(body.skip);
      body.skip = 0;
      if (this.#at + chunk.byteLength > (body.end ?? this.size ?? Infinity)) {
        throw changedError(this.label, `it brought more than the ${this.size} bytes that it told`, this.details);
      }
      return chunk;
    }
  }

  /** A body breaks with any error the host likes; all of them may pass. */
  async #passing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      if (InferenceError.is(cause)) throw cause;
      throw new PassingError(`Cannot fetch ${this.label}: it broke off at byte ${this.#at} (${String(cause)})`, {
        cause,
        details: this.details,
      });
    }
  }

  /** Whether the end of a body is the end of the file. */
  #ended({ end, skip }: Body): boolean {
    if (skip > 0 || (end !== undefined && this.#at < end)) {
      const size = this.size === undefined ? "" : ` of ${this.size}`;
      throw new PassingError(`Cannot fetch ${this.label}: it ended after ${this.#at}${size} bytes; try again`, {
        details: { ...this.details, received: this.#at, ...(this.size === undefined ? {} : { size: this.size }) },
      });
    }
    return this.size === undefined || this.#at >= this.size;
  }

  async #ask(wanted: number, signal: AbortSignal): Promise<Body> {
    const last = this.#rushing
      ? ""
      : String(Math.min(this.#at + Math.max(wanted, laterRange), this.size ?? Infinity) - 1);
    const range = `bytes=${this.#at}-${last}`;
    const response = await this.#askFor(range, signal);
    const answer = response.status === 206 ? contentRange(response) : undefined;
    const same = sameFile(this.validators, validatorsOf(response));
    if (answer && answer.start === this.#at && answer.total === this.size && same !== false) {
      return bodyOf(response, { skip: 0, end: answer.end + 1 });
    }
    // All of it in place of a range, surely of the same file: what is here already is passed over.
    if (response.status === 200 && same === true && [this.size, undefined].includes(bodySize(response))) {
      this.#rushing = true;
      return bodyOf(response, { skip: this.#at, end: this.size });
    }
    await response.body?.cancel().catch(() => {});
    const details = { ...this.details, received: this.#at, size: this.size, status: response.status, range };
    if (response.status === 200 && same === undefined) {
      const size = this.size === undefined ? "" : ` of ${this.size}`;
      const seen = `it ended after ${this.#at}${size} bytes, and the server gives no ranges and tells no ETag to go on by`;
      throw changedError(this.label, seen, details);
    }
    const told = response.headers.get("content-range") ?? "no range";
    throw changedError(
      this.label,
      `asked for ${range} of ${this.size ?? "unknown"} bytes, the server answered ${response.status} with ${told}`,
      details,
    );
  }

  async #askFor(range: string, signal: AbortSignal): Promise<Response> {
    const condition = ifRange(this.validators);
    // Not in browsers, which would ask the server's permission for it first, and most refuse; validators are looked at anyway.
    const conditions = condition !== undefined && detectRuntime() !== "browser" ? { "If-Range": condition } : {};
    try {
      const headers = { Range: range, ...conditions };
      return await fetchInTime(this.#address, { ...this.#options, signal, headers });
    } catch (error) {
      if (!InferenceError.is(error) || error.details?.["status"] !== 416) throw error;
      throw changedError(this.label, `the server has no ${range}`, { ...this.details, status: 416, range });
    }
  }

  /** The range that comes in is taken to its end first: cut short, its bytes in flight would come twice. */
  async rush(): Promise<void> {
    this.#rushing = true;
  }

  // Not awaited: a body that hangs must not hold back what follows.
  #drop(reason?: unknown): void {
    const body = this.#body;
    this.#body = undefined;
    void body?.reader.cancel(reason).catch(() => {});
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    const all = [this.#cancelled.signal, this.#options.signal, signal];
    return AbortSignal.any(all.filter((one) => one !== undefined));
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#cancelled.abort(reason);
    this.#drop(reason);
  }
}

function bodyOf(response: Response, { skip, end }: { skip: number; end: number | undefined }): Body {
  const stream = response.body ?? new Blob([]).stream();
  return { reader: stream.getReader(), skip, end };
}

/**
 * Begins to fetch a file: its first MiB where the server answers ranges, else the beginning of the one response. With
 * `resume`, from where the part ends if it is of the same file, else from the beginning: `start` says which.
 *
 * @throws {InferenceError} `network`; or `signal.reason`
 */
export async function urlTransfer(address: string, options: TransferOptions): Promise<HttpTransfer> {
  if (options.resume) return (await resumed(address, options, options.resume)) ?? begun(address, options);
  return begun(address, options);
}

async function begun(address: string, options: TransferOptions): Promise<HttpTransfer> {
  const whole = (response: Response): HttpTransfer => {
    const size = bodySize(response);
    return new HttpTransfer(address, response, { options, size, start: 0, skip: 0, end: size });
  };
  if (options.plain) return whole(await fetchFirst(address, options));
  const response = await fetchFirst(address, { ...options, headers: { Range: `bytes=0-${firstRange - 1}` } });
  if (response.status !== 206) return whole(response);
  const answer = contentRange(response);
  if (answer?.start === 0) {
    const { total, end } = answer;
    return new HttpTransfer(address, response, { options, size: total, start: 0, skip: 0, end: end + 1 });
  }
  // The length is hidden or the bytes are packed: one whole response tells what ranges do not.
  await response.body?.cancel().catch(() => {});
  return whole(await fetchFirst(address, options));
}

/** Goes on from a part; undefined if the server has another file by now, or nobody can tell. */
async function resumed(
  address: string,
  options: TransferOptions,
  { at, size, validators }: Resume,
): Promise<HttpTransfer | undefined> {
  const condition = ifRange(validators);
  if (condition === undefined && validators.etag === null) return undefined;
  const range = `bytes=${at}-${Math.min(at + firstRange, size) - 1}`;
  const conditions = condition !== undefined && detectRuntime() !== "browser" ? { "If-Range": condition } : {};
  let response: Response;
  try {
    response = await fetchFirst(address, { ...options, headers: { Range: range, ...conditions } });
  } catch (error) {
    // Shorter by now.
    if (InferenceError.is(error) && error.details?.["status"] === 416) return undefined;
    throw error;
  }
  const isSame = sameFile(validators, validatorsOf(response)) === true;
  const answer = response.status === 206 ? contentRange(response) : undefined;
  if (isSame && answer?.start === at && answer.total === size) {
    return new HttpTransfer(address, response, { options, size, start: at, skip: 0, end: answer.end + 1 });
  }
  if (response.status === 200 && !isEncoded(response)) {
    // All of it: of the same file, the part is passed over; of another, this is its beginning.
    const told = bodySize(response);
    const goesOn = isSame && (told === undefined || told === size);
    const start = goesOn ? at : 0;
    return new HttpTransfer(address, response, {
      options,
      size: goesOn ? size : told,
      start,
      skip: start,
      end: goesOn ? size : told,
    });
  }
  await response.body?.cancel().catch(() => {});
  return undefined;
}
