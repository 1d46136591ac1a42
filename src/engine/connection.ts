import { InferenceError } from "../errors.ts";
import type { WeightFile } from "../gguf/weight-file.ts";
import type { WorkerPort } from "../platform/worker-port.ts";
import type { EngineCapabilities, EngineEvent, EngineInfo } from "./engine.ts";
import { fromWireError, toWireError } from "./protocol.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { ReadProgress } from "./read-progress.ts";

/**
 * Silence while loading, in milliseconds, after which the worker is asked for a sign of life, and again until it is given
 * up. Its script may have a long way to come.
 */
const silenceMs = 60_000;
/** The same for a worker that is known to run, and has nothing to do that would keep it from answering. */
const hangMs = 20_000;
/** How long a worker may take to end by itself, in milliseconds. */
const farewellMs = 1000;

type Loaded = { readonly info: EngineInfo; readonly capabilities: EngineCapabilities };
type WithoutId<Message> = Message extends { id: number } ? Omit<Message, "id"> : never;

/** How a load is watched. */
export interface WatchOptions {
  /** Bytes of the weights that were read, of how many. */
  readonly onprogress?: (loaded: number, total: number) => void;
  /**
   * Milliseconds that a worker which has spoken once may be silent while it loads, twice over; default: a minute. Then it
   * is given up with `crashed` and `details.silent`.
   */
  readonly patienceMs?: number | undefined;
}

/** A call under way. */
export interface Call {
  /** When the worker has answered it; rejects with its error. */
  readonly settled: Promise<unknown>;
  /** Asks the worker to stop it; it settles when that has happened. Idempotent. */
  cancel(): void;
}

interface Waiting {
  readonly onEvent: (event: EngineEvent) => void;
  readonly resolve: (answer?: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls over a worker's port, until the worker ends one way or another. */
export class Connection {
  #port: WorkerPort;
  #files: readonly WeightFile[];
  #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #dead: InferenceError | undefined;
  #ended: Promise<void> | undefined;
  #onActivity: () => void = () => undefined;
  #onRead: (file: number, start: number, end: number) => void = () => undefined;
  #reading = new AbortController();
  // What the caller's own file threw says more than what the worker makes of it.
  #readError: unknown;
  readonly #interrupt: () => void;

  /** @param interrupt Has the worker hear of a stop before it gets to its messages. */
  constructor(port: WorkerPort, files: readonly WeightFile[], interrupt: () => void = () => undefined) {
    this.#port = port;
    this.#interrupt = interrupt;
    this.#files = files;
    port.listen(
      // The worker is ours: it posts nothing else.
      (message) => this.#receive(message as FromWorker),
      (reason) => this.die(crashed(reason.message, { cause: reason })),
    );
    port.keepAlive(false);
  }

  async load<Request>(request: Request, { onprogress, patienceMs = silenceMs }: WatchOptions): Promise<Loaded> {
    const files = this.#files.map(({ name, size }) => ({ name, size }));
    const progress = new ReadProgress(
      files.map(({ size }) => size),
      onprogress,
    );
    this.#onRead = (file, start, end) => progress.add(file, start, end);
    const stopWatching = this.#watch(patienceMs);
    try {
      const loaded = await this.call({ type: "load", request, files }).settled;
      progress.end();
      // A load is answered by `loaded`, and so by nothing less.
      return loaded as Loaded;
    } finally {
      stopWatching();
      this.#onRead = () => undefined;
    }
  }

  /** Waits for a call, but not for a worker that hangs; see {@link WatchOptions.patienceMs}. */
  async watched(call: Call): Promise<void> {
    const stopWatching = this.#watch(hangMs, hangMs);
    try {
      await call.settled;
    } finally {
      stopWatching();
    }
  }

  /** Starts a call. The process stays alive until it has settled. */
  call(message: WithoutId<ToWorker<unknown>>, onEvent: Waiting["onEvent"] = () => undefined): Call {
    this.check();
    const id = this.#nextId++;
    const settled = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { onEvent, resolve, reject });
    });
    this.#port.keepAlive(true);
    try {
      this.#post({ ...message, id });
    } catch (error) {
      // What can't be cloned was never sent: nobody will answer.
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#port.keepAlive(false);
      throw error;
    }
    const cancel = (): void => {
      if (!this.#waiting.has(id)) return;
      this.#interrupt();
      this.#post({ type: "cancel", id });
    };
    return { settled, cancel };
  }

  /** @throws {InferenceError} `closed` or `crashed`, when it is over */
  check(): void {
    if (this.#dead) throw this.#dead;
  }

  /** Over: everything that waits, and everything later, rejects with `error`. */
  die(error: InferenceError): void {
    if (this.#dead) return;
    this.#dead = error;
    this.#reading.abort(error);
    if (error.code === "crashed") void this.end();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** Idempotent. Whatever waits rejects with `closed`. */
  async close(): Promise<void> {
    if (!this.#dead) {
      this.die(new InferenceError("closed", "Cannot use this engine: it is closed; load the model again"));
      // So that it can end its own workers, which not every host does when their owner is terminated.
      const farewell = Promise.withResolvers<void>();
      this.#waiting.set(0, {
        onEvent: () => undefined,
        resolve: () => farewell.resolve(),
        reject: () => farewell.resolve(),
      });
      const timer = setTimeout(farewell.resolve, farewellMs);
      this.#port.keepAlive(true);
      this.#interrupt();
      this.#post({ type: "close", id: 0 });
      this.#ended = farewell.promise.then(() => {
        clearTimeout(timer);
        this.#waiting.clear();
        return this.#port.terminate();
      });
    }
    await this.end();
  }

  /** Ends the worker. Idempotent. */
  end(): Promise<void> {
    this.#ended ??= this.#port.terminate();
    return this.#ended;
  }

  #post(message: ToWorker<unknown>, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.post(message, transfer);
  }

  #receive(message: FromWorker): void {
    this.#onActivity();
    if (message.type === "read") {
      void this.#read(message);
      return;
    }
    if (message.type === "crashed") {
      const error = fromWireError(message.error);
      this.die(InferenceError.is(error, "crashed") ? error : crashed(error.message, { cause: error }));
      return;
    }
    if (message.type === "pong") return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.type === "event") {
      waiting.onEvent(message.event);
      return;
    }
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#port.keepAlive(false);
    if (message.type === "loaded") waiting.resolve(message);
    else if (message.type === "done") waiting.resolve(message.answer);
    else this.#fail(waiting, fromWireError(message.error));
  }

  #fail(waiting: Waiting, error: Error): void {
    const readError = this.#readError;
    this.#readError = undefined;
    waiting.reject(readError ?? error);
    if (InferenceError.is(error, "crashed")) this.die(error);
  }

  async #read({ read, file, offset, length, into }: Extract<FromWorker, { type: "read" }>): Promise<void> {
    try {
      const source = this.#files[file];
      if (!source) throw new RangeError(`Cannot read file ${file} of ${this.#files.length}`);
      const bytes = await source.read(offset, length, { signal: this.#reading.signal, into });
      if (this.#dead) return;
      this.#onRead(file, offset, offset + bytes.byteLength);
      // Another's buffer may be larger than the range, or be wanted again by the file that lent it.
      const own = bytes.buffer === into || bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      this.#post({ type: "range", read, bytes: own.buffer, length: own.byteLength }, [own.buffer]);
    } catch (error) {
      if (this.#dead) return;
      this.#readError ??= error;
      this.#post({ type: "range-failed", read, error: toWireError(error) });
    }
  }

  /** Gives the worker up when it is silent for too long; a busy main thread is given time to hear it. */
  #watch(patienceMs: number, firstMs: number = silenceMs): () => void {
    let asked = false;
    let limitMs = firstMs;
    let timer = setTimeout(() => onSilence(), limitMs);
    const restart = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => onSilence(), limitMs);
    };
    const onSilence = (): void => {
      if (asked) {
        const what = `it gave no sign of life for ${(2 * limitMs) / 1000} seconds`;
        this.die(crashed(what, { details: { silent: true } }));
        return;
      }
      asked = true;
      this.#post({ type: "ping" });
      restart();
    };
    this.#onActivity = () => {
      asked = false;
      limitMs = patienceMs;
      restart();
    };
    return () => {
      clearTimeout(timer);
      this.#onActivity = () => undefined;
    };
  }
}

function crashed(what: string, options: { cause?: unknown; details?: { silent: true } } = {}): InferenceError {
  return new InferenceError(
    "crashed",
    `Cannot go on with this engine: its worker failed (${what}); load the model again`,
    options,
  );
}
