import { Refusal } from "./errors.ts";

/** Counts who is served and who waits, so that a crowd is sent away instead of growing without bound. */
export class Admission {
  readonly #maxQueue: number;
  #inside = 0;
  /** How long the last request stayed, waiting included. */
  #lastMs = 1000;

  constructor(maxQueue: number) {
    this.#maxQueue = maxQueue;
  }

  /**
   * Lets a request in: one is served, and so many others wait.
   *
   * @returns A function that lets it out; calling it twice does nothing more.
   * @throws {Refusal} 429, with the seconds after which it may be worth to come again
   */
  enter(): () => void {
    if (this.#inside > this.#maxQueue) {
      const seconds = Math.min(60, Math.max(1, Math.ceil(this.#lastMs / 1000)));
      throw new Refusal(429, `The queue is full: one request is answered and ${this.#maxQueue} wait; try again later`, {
        code: "queue_full",
        headers: { "retry-after": String(seconds) },
      });
    }
    this.#inside += 1;
    const since = performance.now();
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#inside -= 1;
      this.#lastMs = performance.now() - since;
    };
  }
}
