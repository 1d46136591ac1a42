/** Runs one holder at a time, in the order of asking: an engine has one KV cache. */
export class Queue {
  #tail: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<(reason: unknown) => void>();
  #closed: { readonly error: Error } | undefined;

  /**
   * Waits for its turn.
   *
   * @returns A function that ends the turn; calling it twice does nothing more.
   * @throws `signal.reason` if aborted while waiting; the place in the queue is given up
   * @throws what the queue was closed with
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed.error;
    const before = this.#tail;
    const { promise: turn, resolve: leave } = Promise.withResolvers<void>();
    this.#tail = before.then(() => turn);
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(reject);
    try {
      await Promise.race([before, stopped]);
      return leave;
    } catch (reason) {
      leave();
      throw reason;
    } finally {
      this.#waiting.delete(reject);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Lets nobody in any more: whoever waits, and whoever comes, is refused with `error`. */
  close(error: Error): void {
    this.#closed ??= { error };
    for (const reject of this.#waiting) reject(error);
  }
}
