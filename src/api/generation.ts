import type { Part, Result } from "../contract.ts";
import type { Generation } from "./contract.ts";
import { eventStreamResponse } from "./event-stream.ts";

/** What a run is given by the generation that owns it. */
export interface RunControl {
  /** Aborts when the consumer leaves early; its reason is {@link leftEarly}. */
  readonly stopped: AbortSignal;
  /** Aborts when the user asks for the answer now. */
  readonly endReasoning: AbortSignal;
}

/** A run yields parts and ends with a `finish` part. When stopped early it returns what it has, as `abort`. */
export type Run = (control: RunControl) => AsyncGenerator<Part, void>;

/** The reason of `RunControl.stopped`: nobody listens any more, so that a run ends quietly instead of throwing. */
export const leftEarly: unique symbol = Symbol("the consumer left early");

/** One run of the model, started by its first consumer. */
export class ModelGeneration implements Generation {
  readonly #stop: AbortController = new AbortController();
  readonly #endReasoning: AbortController = new AbortController();
  readonly #run: Run;
  readonly #buffer: Part[] = [];
  #parts: AsyncGenerator<Part, void> | undefined;
  #advancing: Promise<void> | undefined;
  #outcome: { result: Result } | { error: unknown } | undefined;
  #consumed = false;

  constructor(run: Run) {
    this.#run = run;
  }

  [Symbol.asyncIterator](): AsyncIterator<Part, undefined> {
    if (this.#consumed) {
      throw new TypeError(
        "Cannot iterate a generation twice: its parts were already taken; call result(), or start another",
      );
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

  async result(): Promise<Result> {
    while (!this.#outcome) await this.#advance();
    if ("error" in this.#outcome) throw this.#outcome.error;
    return this.#outcome.result;
  }

  get text(): AsyncIterable<string> {
    return this.#only("text");
  }

  get reasoning(): AsyncIterable<string> {
    return this.#only("reasoning");
  }

  get stream(): ReadableStream<Part> {
    const parts = this[Symbol.asyncIterator]();
    return new ReadableStream<Part>(
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

  endReasoning(): void {
    this.#endReasoning.abort();
  }

  toResponse(init?: ResponseInit): Response {
    return eventStreamResponse(this, init);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#consumed = true;
    await this.#leave();
  }

  /** No generator: its return() would wait for the piece that is being made. */
  #only(type: "text" | "reasoning"): AsyncIterable<string> {
    return {
      [Symbol.asyncIterator]: () => {
        const parts = this[Symbol.asyncIterator]();
        return {
          async next() {
            for (;;) {
              const { done, value } = await parts.next();
              if (done) return { done: true, value: undefined };
              if (value.type === type) return { done: false, value: value.text };
            }
          },
          async return() {
            await parts.return?.();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  async #next(): Promise<IteratorResult<Part, undefined>> {
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
      this.#parts ??= this.#run({ stopped: this.#stop.signal, endReasoning: this.#endReasoning.signal });
      const { done, value } = await this.#parts.next();
      if (done) {
        this.#outcome ??= { error: this.#stop.signal.reason ?? new Error("The run ended without a result") };
        return;
      }
      this.#buffer.push(value);
      // The run has nothing more to say; it is let go here, so that nothing is held while the last part is looked at.
      if (value.type === "finish") {
        await this.#parts.return();
        this.#outcome = { result: value.result };
      }
    } catch (error) {
      this.#outcome = { error };
    }
  }

  async #leave(): Promise<void> {
    if (!this.#parts) {
      this.#outcome ??= { error: new DOMException("The generation was left before it started", "AbortError") };
      return;
    }
    this.#stop.abort(leftEarly);
    while (!this.#outcome) await this.#advance();
    this.#buffer.length = 0;
  }
}
