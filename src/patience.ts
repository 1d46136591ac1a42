// Asking a server again: when, how often, and after how long a wait.
import { InferenceError } from "./errors.ts";
import { pause } from "./waiting.ts";

/** How long one waits for a server, and how often it asks again. Times in milliseconds. */
export interface Patience {
  /** Tries in a row that bring no byte. */
  readonly tries: number;
  /** Before the second try; each later wait is twice as long. */
  readonly firstDelay: number;
  readonly longestDelay: number;
  /** A connection that brings no byte for so long is cut. */
  readonly stall: number;
  /** The longest `Retry-After` that is obeyed. */
  readonly longestRetryAfter: number;
}

export const usualPatience: Patience = {
  tries: 5,
  firstDelay: 500,
  longestDelay: 10_000,
  stall: 30_000,
  longestRetryAfter: 120_000,
};

/** A failure that may pass: asking again makes sense. */
export class PassingError extends InferenceError {
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    about: { cause?: unknown; details: Readonly<Record<string, unknown>>; retryAfter?: number | undefined },
  ) {
    super("network", message, about);
    this.retryAfter = about.retryAfter;
  }
}

/** Reads `Retry-After`, seconds or a date; undefined without one. */
export function retryAfterOf(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Counts tries without progress, and waits between them. */
export class Retries {
  readonly #patience: Patience;
  #failed = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** Something came: the next failure is the first again. */
  progressed(): void {
    this.#failed = 0;
  }

  /**
   * Waits before the next try.
   *
   * @throws `error` itself if it does not pass, or was the last try, or asks for too long a wait; `signal.reason`
   */
  async wait(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { tries, firstDelay, longestDelay, longestRetryAfter } = this.#patience;
    this.#failed++;
    if (!(error instanceof PassingError) || this.#failed >= tries) throw error;
    const { retryAfter = 0 } = error;
    if (retryAfter > longestRetryAfter) throw error;
    await pause(Math.max(retryAfter, Math.min(longestDelay, firstDelay * 2 ** (this.#failed - 1))), signal);
  }
}
