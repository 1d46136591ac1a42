/** What a run is given by its owner. */
export interface RunControl {
  /** Aborts when the consumer leaves early; its reason is {@link leftEarly}. */
  readonly stopped: AbortSignal;
  /** Aborts when the user asks for the answer now. */
  readonly answerNow: AbortSignal;
}

/** The part that a run ends with. */
export interface Finish<R> {
  type: "finish";
  result: R;
}

/** A run yields parts and ends with a `finish` part. When stopped early it ends with what it has. */
export type Run<P, R> = (control: RunControl) => AsyncGenerator<P | Finish<R>, void>;

/** The reason of `RunControl.stopped`: nobody listens any more, so that a run ends quietly instead of throwing. */
const leftEarly: unique symbol = Symbol("the consumer left early");

/**
 * One run, started by its first consumer: its parts go to one iterator, its result to whoever asks.
 *
 * @typeParam P Its parts but the last.
 * @typeParam R What it comes to.
 */
export class OneRun<P extends { type: string }, R> implements AsyncIterable<P | Finish<R>>, AsyncDisposable {
  readonly #stop: AbortController = new AbortController();
  readonly #answerNow: AbortController = new AbortController();
  readonly #run: Run<P, R>;
  readonly #buffer: (P | Finish<R>)[] = [];
  #parts: AsyncGenerator<P | Finish<R>, void> | undefined;
  #advancing: Promise<void> | undefined;
  #outcome: { result: R } | { error: unknown } | undefined;
  #consumed = false;

  constructor(run: Run<P, R>) {
    this.#run = run;
  }

  [Symbol.asyncIterator](): AsyncIterator<P | Finish<R>, undefined> {
    if (this.#consumed) {
      throw new TypeError("Cannot iterate a run twice: its parts were already taken; call result(), or start another");
    }
    this.#consumed = true;
    return {
      next: () => this.#next(),
      return: async () => {
        await this.#leave();
        return { done: true, value: undefined };
      },
    };
  }

  async result(): Promise<R> {
    while (!this.#outcome) await this.#advance();
    if ("error" in this.#outcome) throw this.#outcome.error;
    return this.#outcome.result;
  }

  get stream(): ReadableStream<P | Finish<R>> {
    const parts = this[Symbol.asyncIterator]();
    return new ReadableStream<P | Finish<R>>(
      {
        async pull(controller) {
          const { done, value } = await parts.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await parts.return?.();
        },
      },
      // Nothing is made before somebody reads.
      { highWaterMark: 0 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#consumed = true;
    await this.#leave();
  }

  /** Tells the run that the answer is wanted now. */
  protected hurry(): void {
    this.#answerNow.abort();
  }

  async #next(): Promise<IteratorResult<P | Finish<R>, undefined>> {
    while (this.#buffer.length === 0) {
      if (this.#outcome) {
        if ("error" in this.#outcome) throw this.#outcome.error;
        return { done: true, value: undefined };
      }
      await this.#advance();
    }
    const value = this.#buffer.shift();
    return value ? { done: false, value } : { done: true, value: undefined };
  }

  /** Takes one part from the run; an iterator and result() that ask together share the step. Never rejects. */
  #advance(): Promise<void> {
    this.#advancing ??= this.#step().finally(() => {
      this.#advancing = undefined;
    });
    return this.#advancing;
  }

  async #step(): Promise<void> {
    try {
      this.#parts ??= this.#run({ stopped: this.#stop.signal, answerNow: this.#answerNow.signal });
      const { done, value } = await this.#parts.next();
      if (done) {
        this.#outcome ??= { error: this.#stop.signal.reason ?? new Error("The run ended without a result") };
        return;
      }
      this.#buffer.push(value);
      // The run has nothing more to say; it is let go here, so that nothing is held while the last part is looked at.
      if (isFinish<R>(value)) {
        await this.#parts.return();
        this.#outcome = { result: value.result };
      }
    } catch (error) {
      this.#outcome = { error };
    }
  }

  async #leave(): Promise<void> {
    if (!this.#parts) {
      this.#outcome ??= { error: new DOMException("The run was left before it started", "AbortError") };
      return;
    }
    this.#stop.abort(leftEarly);
    while (!this.#outcome) await this.#advance();
    this.#buffer.length = 0;
  }
}

function isFinish<R>(part: { type: string }): part is Finish<R> {
  return part.type === "finish";
}
