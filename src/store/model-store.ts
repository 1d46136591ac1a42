import { InferenceError } from "../errors.ts";

/** What keeps others from a key until it is let go. */
export interface StoreLock extends AsyncDisposable {
  /** Aborts if others took the lock since its holder did not show that it lives, as after a computer slept. */
  readonly lost?: AbortSignal;
}

/**
 * A place that keeps downloaded weights: disk, OPFS, Cache API, memory. Keys are of letters, digits, dots, dashes and
 * underscores. What is under a key is whole, or it is not there: a download that was interrupted never shows in `open`.
 */
export interface ModelStore {
  /** What is kept under a key; null if there is nothing, or not all of it. */
  open(key: string): Promise<Blob | null>;
  /**
   * Takes the bytes of a key; `at` > 0 resumes an interrupted download at that byte. Closing the stream makes the entry
   * whole, at once; aborting it keeps what came as the part to resume from.
   *
   * @throws {RangeError} if the part has fewer than `at` bytes
   * @throws {InferenceError} `memory` if there is no room, also from the stream
   */
  create(key: string, at: number): Promise<WritableStream<Uint8Array>>;
  /** Forgets what is kept under a key, and its part. */
  delete(key: string): Promise<void>;
  /** Every key that something whole is kept under, in no order. */
  keys(): AsyncIterable<string>;
  /** The part that an interrupted download has left, or one that runs has brought so far. Without it none is resumed. */
  partial?(key: string): Promise<Blob | null>;
  /**
   * Waits until nobody else has this key's lock. Without it two who load the same model fetch it twice.
   *
   * @throws `signal.reason`
   */
  lock?(key: string, signal?: AbortSignal): Promise<StoreLock>;
}

/** @throws {TypeError} if a key is not of those characters, or too long for a file's name */
export function checkKey(key: string): void {
  if (/^[\w-][\w.-]{0,199}$/.test(key)) return;
  throw new TypeError(
    `The key is ${JSON.stringify(key)}; 1 to 200 letters, digits, dots, dashes and underscores are wanted, no dot first`,
  );
}

/** The error of a place that is full. `remedy`: what makes room. */
export function fullError(place: string, remedy: string, cause: unknown): InferenceError {
  return new InferenceError(
    "memory",
    `Cannot keep the model in ${place}: no space is left; ${remedy}. What came so far is kept, and the download goes on from there`,
    { cause, details: { place } },
  );
}

/** The error of a part that is shorter than what is to follow it. */
export function shortPartError(key: string, { at, size }: { at: number; size: number }): RangeError {
  return new RangeError(`Cannot resume ${key} at byte ${at}: its part has ${size} bytes`);
}
