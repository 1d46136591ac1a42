import type { Part, Result } from "../contract.ts";
import type { Generation } from "./contract.ts";
import { eventStreamResponse } from "./event-stream.ts";
import { type Finish, OneRun } from "./one-run.ts";

/** One run of the model, started by its first consumer. */
export class ModelGeneration extends OneRun<Exclude<Part, Finish<Result>>, Result> implements Generation {
  get text(): AsyncIterable<string> {
    return this.#only("text");
  }

  get reasoning(): AsyncIterable<string> {
    return this.#only("reasoning");
  }

  endReasoning(): void {
    this.hurry();
  }

  toResponse(init?: ResponseInit): Response {
    return eventStreamResponse(this, init);
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
}
