import { InferenceError } from "../errors.ts";
import { isEncoded } from "./http.ts";

interface ContentRange {
  readonly start: number;
  /** The last byte, not the one after it. */
  readonly end: number;
  readonly total: number;
}

/** Reads `Content-Range`; undefined if it is hidden (CORS) or does not say the whole length. */
export function contentRange(response: Response): ContentRange | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (!match || isEncoded(response)) return undefined;
  const [start = NaN, end = NaN, total = NaN] = match.slice(1).map(Number);
  return Number.isSafeInteger(total) && start <= end && end < total ? { start, end, total } : undefined;
}

/** What tells one state of a file from another. */
export interface Validators {
  readonly etag: string | null;
  readonly modified: string | null;
}

export function validatorsOf(response: Response): Validators {
  return { etag: response.headers.get("etag"), modified: response.headers.get("last-modified") };
}

const isStrong = (etag: string | null): etag is string => etag !== null && !etag.startsWith("W/");

/**
 * Whether two answers are of the same bytes; undefined: nobody can tell. A weak ETag promises less than that, so that
 * the date has to agree too.
 */
export function sameFile(one: Validators, other: Validators): boolean | undefined {
  if (one.etag !== null && other.etag !== null) {
    if (one.etag !== other.etag) return false;
    if (isStrong(one.etag)) return true;
  }
  if (one.modified !== null && other.modified !== null) return one.modified === other.modified;
  return one.etag === other.etag && one.modified === other.modified ? undefined : false;
}

/** The value of `If-Range`, which takes no weak ETag. */
export function ifRange({ etag, modified }: Validators): string | undefined {
  return isStrong(etag) ? etag : (modified ?? undefined);
}

/** The error of a file that is not the one whose beginning was read; loading starts over at it. */
export function changedError(label: string, seen: string, details: Readonly<Record<string, unknown>>): InferenceError {
  return new InferenceError("network", `Cannot fetch ${label}: ${seen}; the file seems to have changed, try again`, {
    details: { ...details, changed: true },
  });
}

/** Whether an error is that one. */
export function isChanged(error: unknown): boolean {
  return InferenceError.is(error, "network") && error.details?.["changed"] === true;
}
