/** Runs one holder at a time, in the order of asking: an engine has one KV cache. */
export class Queue {
  #tail: Promise<void> = Promise.resolve();

  /**
   * Waits for its turn.
   *
   * @returns A function that ends the turn; calling it twice does nothing more.
   * @throws `signal.reason` if aborted while waiting; the place in the queue is given up
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    const before = this.#tail;
    const { promise: turn, resolve: leave } = Promise.withResolvers<void>();
    this.#tail = before.then(() => turn);
    if (!signal) {
      await before;
      return leave;
    }
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([before, aborted]);
      return leave;
    } catch (reason) {
      leave();
      throw reason;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
