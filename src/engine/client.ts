// The engine interface over a worker: the half that stands in the caller's thread.
import { InferenceError } from "../errors.ts";
import type { WeightFile } from "../gguf/weight-file.ts";
import type { WorkerPort } from "../platform/worker-port.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { Connection } from "./connection.ts";
import type { Call, WatchOptions } from "./connection.ts";
import { drain } from "./drain.ts";
import type { Question } from "./protocol.ts";
import type { CompleteOptions, ContextConfig, Engine, EngineCapabilities, EngineEvent, EngineInfo } from "./engine.ts";

export interface ConnectOptions<Request> extends WatchOptions {
  /** What the worker's loader wants. */
  readonly request: Request;
  /** Read here, range by range, as the worker asks; they stay the caller's to close. */
  readonly files: readonly WeightFile[];
  readonly signal?: AbortSignal;
  /** Has the worker hear of a stop before it gets to its messages. */
  readonly interrupt?: () => void;
}

/** A worker with an engine in it. */
export interface Connected {
  readonly connection: Connection;
  readonly info: EngineInfo;
  readonly capabilities: EngineCapabilities;
}

/**
 * Loads an engine in a worker that was just started.
 *
 * @param restart Connects a new worker, with another context, when this one hangs in the change to it.
 * @throws {InferenceError} whatever the engine's loader throws; `crashed` if the worker does
 * @throws `signal.reason`; the worker is gone then
 */
export async function connectEngine<Request>(
  port: WorkerPort,
  options: ConnectOptions<Request>,
  restart?: (config: ContextConfig) => Promise<Connected>,
): Promise<Engine> {
  return new WorkerEngine(await connect(port, options), restart);
}

/** The connection of {@link connectEngine}, by itself. */
export async function connect<Request>(port: WorkerPort, options: ConnectOptions<Request>): Promise<Connected> {
  const { signal } = options;
  const connection = new Connection(port, options.files, options.interrupt);
  const onAbort = (): void => connection.die(new InferenceError("closed", "Cannot load the engine: it was aborted"));
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    const { info, capabilities } = await connection.load(options.request, options);
    signal?.throwIfAborted();
    return { connection, info, capabilities };
  } catch (error) {
    await connection.end();
    if (signal?.aborted) throw signal.reason;
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Whether a worker was given up because it hung. */
export function isSilent(error: unknown): boolean {
  return InferenceError.is(error, "crashed") && error.details?.["silent"] === true;
}

class WorkerEngine implements Engine {
  readonly #restart: ((config: ContextConfig) => Promise<Connected>) | undefined;
  #connected: Connected;
  #busy = false;
  #closed = false;

  declare tokenize?: NonNullable<Engine["tokenize"]>;
  declare detokenize?: NonNullable<Engine["detokenize"]>;
  declare count?: NonNullable<Engine["count"]>;
  declare saveState?: NonNullable<Engine["saveState"]>;
  declare restoreState?: NonNullable<Engine["restoreState"]>;
  declare embed?: NonNullable<Engine["embed"]>;
  declare rank?: NonNullable<Engine["rank"]>;

  constructor(connected: Connected, restart?: (config: ContextConfig) => Promise<Connected>) {
    this.#connected = connected;
    this.#restart = restart;
    const { tokenize, state, embed, rank } = connected.capabilities;
    if (tokenize) {
      this.tokenize = (text, { special }) => this.#ask({ method: "tokenize", text, special });
      this.detokenize = (tokens) => this.#ask({ method: "detokenize", tokens });
      this.count = (prompt) => this.#ask({ method: "count", prompt });
    }
    if (state) {
      this.saveState = async () => new Uint8Array(await this.#ask<ArrayBuffer>({ method: "saveState" }));
      this.restoreState = (bytes) => this.#ask({ method: "restoreState", state: bytes.slice().buffer });
    }
    if (embed) this.embed = (texts, options) => this.#ask({ method: "embed", texts }, options?.signal);
    if (rank) {
      this.rank = (query, documents, options) => this.#ask({ method: "rank", query, documents }, options?.signal);
    }
  }

  get info(): EngineInfo {
    return this.#connected.info;
  }

  get capabilities(): EngineCapabilities {
    return this.#connected.capabilities;
  }

  async configure(config: ContextConfig, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#start(signal);
    let call: Call | undefined;
    const onAbort = (): void => call?.cancel();
    signal?.addEventListener("abort", onAbort);
    try {
      const { connection } = this.#connected;
      call = connection.call({ type: "configure", config });
      await connection.watched(call);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!isSilent(error) || !this.#restart) throw error;
      this.#connected = await this.#restart(config);
      // Closed meanwhile, it closed the worker that hung.
      if (this.#closed) await this.close();
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#busy = false;
    }
    signal?.throwIfAborted();
  }

  async *complete(
    prompt: readonly PromptSegment[],
    { signal, ...options }: CompleteOptions,
  ): AsyncGenerator<EngineEvent, void> {
    this.#start(signal);
    let call: Call | undefined;
    try {
      yield* drain<EngineEvent>({
        start: (emit) => {
          call = this.#connected.connection.call({ type: "complete", prompt, options }, (event) => emit([event]));
          return call.settled;
        },
        stop: () => call?.cancel(),
        signal,
      });
    } finally {
      this.#busy = false;
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#connected.connection.close();
  }

  /** A call that is answered by what the method of that name gives. */
  async #ask<Answer>(question: Question, signal?: AbortSignal): Promise<Answer> {
    this.#start(signal);
    let call: Call | undefined;
    const onAbort = (): void => call?.cancel();
    signal?.addEventListener("abort", onAbort);
    try {
      call = this.#connected.connection.call({ type: "ask", question });
      const answer = await call.settled;
      signal?.throwIfAborted();
      return answer as Answer;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#busy = false;
    }
  }

  #start(signal: AbortSignal | undefined): void {
    this.#connected.connection.check();
    signal?.throwIfAborted();
    if (this.#busy) {
      throw new InferenceError(
        "busy",
        "Cannot start on this engine: another call runs on it; wait until that has ended",
      );
    }
    this.#busy = true;
  }
}
