/** Something that runs and tells events by a callback. */
export interface Source<Event> {
  /** Starts it. The promise settles when it has ended, whichever way. */
  readonly start: (emit: (events: Iterable<Event>) => void) => Promise<unknown>;
  /** Asks it to end soon. Idempotent. */
  readonly stop: () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives out the events of a source as they come. Leaving early stops it, and control comes back when it has ended.
 *
 * @throws what the source rejects with; `signal.reason` as soon as it was stopped
 */
export async function* drain<Event>({ start, stop, signal }: Source<Event>): AsyncGenerator<Event, void> {
  const queue: Event[] = [];
  let wake = (): void => undefined;
  let outcome: { error?: unknown } | undefined;
  const ended = start((events) => {
    queue.push(...events);
    wake();
  })
    .then(
      () => ({}),
      (error: unknown) => ({ error }),
    )
    .then((result) => {
      outcome = result;
      wake();
    });
  const onAbort = (): void => {
    stop();
    wake();
  };
  signal?.addEventListener("abort", onAbort);
  try {
    while (!signal?.aborted) {
      const event = queue.shift();
      if (event !== undefined) yield event;
      else if (outcome) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (!outcome) stop();
    await ended;
  }
  signal?.throwIfAborted();
  if (outcome && "error" in outcome) throw outcome.error;
}
