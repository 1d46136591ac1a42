// The engine interface over a worker: the half that stands in the worker.
import type { ParentPort } from "../platform/worker-port.ts";
import type { Engine } from "./engine.ts";
import { fromWireError, toWireError } from "./protocol.ts";
import type { FromWorker, Question, ToWorker, WireFile } from "./protocol.ts";

/** Bytes of a file. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
  readonly into?: ArrayBuffer | undefined;
}

/** What a loader is given beside its request. */
export interface LoadHost {
  readonly files: readonly WireFile[];
  /** Reads a range of a file, which is at the client; a buffer that the bytes may come back in is gone from here. */
  read(file: number, range: FileRange): Promise<Uint8Array<ArrayBuffer>>;
  /** Tells the client at once that nothing will work any more. */
  crashed(error: unknown): void;
}

/** Serves the engine that `load` makes; `ready` is a way to have the first message, if it was taken off the port already. */
export function serveEngine<Request>(
  port: ParentPort,
  load: (request: Request, host: LoadHost) => Promise<Engine>,
): (message: ToWorker<Request>) => void {
  const post = (message: FromWorker, transfer?: readonly ArrayBuffer[]): void => port.post(message, transfer);
  const running = new Map<number, AbortController>();
  const reads = new Map<
    number,
    { resolve: (bytes: Uint8Array<ArrayBuffer>) => void; reject: (error: unknown) => void }
  >();
  let nextRead = 1;
  let engine: Engine | undefined;

  const host = (files: readonly WireFile[]): LoadHost => ({
    files,
    read(file, { offset, length, into }) {
      const read = nextRead++;
      return new Promise((resolve, reject) => {
        reads.set(read, { resolve, reject });
        post({ type: "read", read, file, offset, length, ...(into && { into }) }, into ? [into] : []);
      });
    },
    crashed: (error) => post({ type: "crashed", error: toWireError(error) }),
  });

  const loaded = (): Engine => {
    if (!engine) throw new Error("a call came before the engine was loaded");
    return engine;
  };

  const run = async (id: number, work: (signal: AbortSignal) => Promise<unknown> | undefined): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const answer = await work(controller.signal);
      post({ type: "done", id, ...(answer === undefined ? {} : { answer }) });
    } catch (error) {
      // The client knows why it cancelled; it only waits for the end.
      if (controller.signal.aborted && error === controller.signal.reason) post({ type: "done", id });
      else post({ type: "failed", id, error: toWireError(error) });
    } finally {
      running.delete(id);
    }
  };

  const start = async (message: Extract<ToWorker<Request>, { type: "load" }>): Promise<void> => {
    // The script is here and runs.
    post({ type: "pong" });
    try {
      engine = await load(message.request, host(message.files));
      post({ type: "loaded", id: message.id, info: engine.info, capabilities: engine.capabilities });
    } catch (error) {
      post({ type: "failed", id: message.id, error: toWireError(error) });
    }
  };

  const takeRead = (
    read: number,
  ): { resolve: (bytes: Uint8Array<ArrayBuffer>) => void; reject: (error: unknown) => void } | undefined => {
    const waiting = reads.get(read);
    reads.delete(read);
    return waiting;
  };

  return (message) => {
    switch (message.type) {
      case "load":
        void start(message);
        return;
      case "configure":
        void run(message.id, (signal) => loaded().configure(message.config, { signal }));
        return;
      case "complete":
        void run(message.id, async (signal) => {
          for await (const event of loaded().complete(message.prompt, { ...message.options, signal })) {
            post({ type: "event", id: message.id, event });
          }
        });
        return;
      case "ask":
        void run(message.id, (signal) => answerTo(loaded(), message.question, signal));
        return;
      case "close":
        void run(message.id, async () => engine?.close());
        return;
      case "cancel":
        running.get(message.id)?.abort(new Error("cancelled"));
        return;
      case "range":
        takeRead(message.read)?.resolve(new Uint8Array(message.bytes, 0, message.length));
        return;
      case "range-failed":
        takeRead(message.read)?.reject(fromWireError(message.error));
        return;
      case "ping":
        post({ type: "pong" });
        return;
    }
  };
}

/** How each question is put to the engine; the client asks only what it has. */
const answers: {
  readonly [Method in Question["method"]]: (
    engine: Engine,
    question: Extract<Question, { method: Method }>,
    signal: AbortSignal,
  ) => Promise<unknown> | undefined;
} = {
  tokenize: (engine, { text, special }) => engine.tokenize?.(text, { special }),
  detokenize: (engine, { tokens }) => engine.detokenize?.(tokens),
  count: (engine, { prompt }) => engine.count?.(prompt),
  saveState: async (engine) => (await engine.saveState?.())?.buffer,
  restoreState: (engine, { state }) => engine.restoreState?.(new Uint8Array(state)),
  embed: (engine, { texts }, signal) => engine.embed?.(texts, { signal }),
  rank: (engine, { query, documents }, signal) => engine.rank?.(query, documents, { signal }),
};

function answerTo<Asked extends Question>(
  engine: Engine,
  question: Asked,
  signal: AbortSignal,
): Promise<unknown> | undefined {
  // The table has an entry for each method, of that method's question.
  const answer = answers[question.method] as (
    engine: Engine,
    question: Asked,
    signal: AbortSignal,
  ) => Promise<unknown> | undefined;
  return answer(engine, question, signal);
}
