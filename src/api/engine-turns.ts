import type { Engine } from "../engine/engine.ts";
import { Queue } from "./queue.ts";

/** An engine that many want and one has at a time. */
export class EngineTurns {
  readonly engine: Engine;
  readonly #queue: Queue = new Queue();
  #idle: AbortController | undefined;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Waits for a turn, and stops what is done while the engine is idle. @returns Ends the turn. */
  enter(signal?: AbortSignal): Promise<() => void> {
    this.#idle?.abort();
    this.#idle = undefined;
    return this.#queue.enter(signal);
  }

  /** Runs something on the engine, in its turn. */
  async ask<Answer>(question: (engine: Engine) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    const leave = await this.enter(signal);
    try {
      return await question(this.engine);
    } finally {
      leave();
    }
  }

  /** Runs something that saves time later, and may fail or be stopped: whoever wants the engine goes first. */
  whileIdle(work: (engine: Engine, signal: AbortSignal) => Promise<unknown>): void {
    const idle = new AbortController();
    this.#idle = idle;
    const run = async (): Promise<void> => {
      const leave = await this.#queue.enter(idle.signal);
      try {
        await work(this.engine, idle.signal);
      } finally {
        leave();
      }
    };
    // What it was for will say what is wrong.
    run().catch(() => undefined);
  }

  /** Refuses whoever waits for a turn, and whoever comes. */
  close(error: Error): void {
    this.#idle?.abort();
    this.#queue.close(error);
  }
}
