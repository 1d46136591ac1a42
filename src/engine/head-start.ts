// What can be begun for a model before its header is known: most run on the same module, and all in a worker.
import { hasWorkers, startWorker } from "../platform/start-worker.ts";
import type { WorkerPort } from "../platform/worker-port.ts";
import { compileLlama } from "./start-llama.ts";
import type { LlamaModule, ModuleOptions } from "./start-llama.ts";
import type { Variant } from "./variant.ts";

export interface HeadStartOptions extends ModuleOptions {
  /** Already compiled, so that only a worker is started. */
  readonly module?: WebAssembly.Module | undefined;
  /** A caller's own way to start workers. */
  readonly worker?: (() => Worker) | undefined;
}

/** A module that is being compiled and a worker that comes up, for a model whose header is being read. */
export class HeadStart {
  readonly #options: HeadStartOptions;
  readonly #guess: Variant | undefined;
  readonly #compiled: Promise<LlamaModule> | undefined;
  #worker: WorkerPort | undefined;

  /** @param guess The module that most models run on; undefined: nothing is begun. */
  constructor(guess: Variant | undefined, options: HeadStartOptions) {
    this.#options = options;
    this.#guess = guess;
    if (!guess) return;
    if (!options.module) {
      this.#compiled = compileLlama(guess, options);
      // Whoever wants it hears of it.
      this.#compiled.catch(() => {});
    }
    try {
      if (hasWorkers()) this.#worker = held(startWorker("llama", options.worker));
    } catch {
      // It is told to whoever wants one, and by then maybe nobody does.
    }
  }

  /** The module that a model runs on after all. @throws As {@link compileLlama} */
  async compile(variant: Variant): Promise<LlamaModule> {
    if (this.#options.module) return { module: this.#options.module, variant };
    const isGuessed = JSON.stringify(variant) === JSON.stringify(this.#guess);
    return (isGuessed && this.#compiled) || compileLlama(variant, this.#options);
  }

  /** Hands out the worker that was begun, then others. */
  startWorker(): WorkerPort {
    const begun = this.#worker;
    this.#worker = undefined;
    return begun ?? startWorker("llama", this.#options.worker);
  }

  /** Ends the worker that nobody took. Idempotent. */
  async end(): Promise<void> {
    const left = this.#worker;
    this.#worker = undefined;
    await left?.terminate();
  }
}

/** A worker nobody listens to yet: its failure is told to whoever listens first, and it keeps no process alive. */
function held(port: WorkerPort): WorkerPort {
  let onMessage: (message: unknown) => void = () => {};
  let failure: Error | undefined;
  let onFailure = (reason: Error): void => {
    failure = reason;
  };
  port.listen(
    (message) => onMessage(message),
    (reason) => onFailure(reason),
  );
  port.keepAlive(false);
  return {
    ...port,
    listen(message, failed) {
      onMessage = message;
      onFailure = failed;
      if (failure) failed(failure);
    },
  };
}
