// The workers that wllama and Emscripten start, outside browsers. Both start them from the URL of a Blob of source code
// and expect a browser's globals: here they run in this package's worker file, whose globals are made so.
import { builtinModule, detectRuntime } from "../platform/detect.ts";
import { startThread } from "../platform/worker-threads.ts";
import { webWorkerPort } from "../platform/worker-web.ts";
import type { ParentPort, WorkerPort } from "../platform/worker-port.ts";
import type { ModuleWatch } from "./module-watch.ts";

const mark = "ruminate-nested";

/** The first message to such a worker. */
export interface NestedStart {
  readonly type: typeof mark;
  readonly code: string;
  /** Emscripten tells its threads from its main module by their name. */
  readonly name: string;
  /** What a fetch of `wasmUrl` is answered with, where no fetch could. */
  readonly wasm?: { readonly url: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
}

export function isNestedStart(message: { readonly type: string }): message is NestedStart {
  return message.type === mark;
}

/** What {@link NestedWorker} needs to know of its surroundings. */
export interface Surroundings {
  /** URL of the worker file. */
  readonly entry: string;
  readonly wasm?: NestedStart["wasm"];
  /** Sees every message first, and failures. */
  readonly watch?: ModuleWatch;
}

type Handler<Event> = ((event: Event) => void) | null;

/** Makes this realm's `Worker` and `URL.createObjectURL` start workers from Blobs of source code. */
export function shapeWorkers(surroundings: Surroundings): void {
  const sources = new Map<string, Blob>();
  // Node has none; where there is one, it is needed once more, to start those that stand in for it.
  const native = globalThis.Worker as typeof Worker | undefined;
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  };
  URL.createObjectURL = (object: Blob | MediaSource) => {
    const url = `blob:ruminate/${sources.size}`;
    if (object instanceof Blob) sources.set(url, object);
    return url;
  };
  define(
    "Worker",
    class {
      onmessage: Handler<{ data: unknown }> = null;
      onerror: Handler<{ message: string; error: Error }> = null;
      #port: WorkerPort;
      #ready: Promise<void> | undefined;

      constructor(url: string | URL, { name = "" }: { name?: string } = {}) {
        const source = sources.get(String(url));
        if (!source) throw new Error(`Cannot start a worker from ${String(url)}: it is not a URL of this realm`);
        this.#port = startNested(surroundings.entry, name, native);
        this.#port.listen(
          (data) => {
            const taken = surroundings.watch?.take(data, (message) => this.#port.post(message));
            if (taken !== true) this.onmessage?.({ data });
          },
          (error) => {
            surroundings.watch?.fail(error.message);
            this.onerror?.({ message: error.message, error });
          },
        );
        this.#ready = source.text().then((code) => {
          this.#ready = undefined;
          const start: NestedStart = { type: mark, code, name, wasm: name === "" ? surroundings.wasm : undefined };
          this.#port.post(start);
        });
      }

      postMessage(
        message: unknown,
        transfer: readonly ArrayBuffer[] | { transfer?: readonly ArrayBuffer[] } = [],
      ): void {
        surroundings.watch?.sent(message);
        const list = "transfer" in transfer ? transfer.transfer : transfer;
        const owned = Array.isArray(list) ? list : [];
        if (this.#ready) void this.#ready.then(() => this.#port.post(message, owned));
        else this.#port.post(message, owned);
      }

      terminate(): void {
        void this.#port.terminate();
      }
    },
  );
}

function startNested(entry: string, name: string, native: typeof Worker | undefined): WorkerPort {
  // Deno's own threads would hand each message out twice, since the code sets the global onmessage.
  if (detectRuntime() === "node" || !native) return startThread(new URL(entry), name);
  return webWorkerPort(new native(entry, { type: "module", name }));
}

interface Scripts {
  runInThisContext(code: string, options: { filename: string }): unknown;
}

/**
 * Runs a nested worker's code in this realm.
 *
 * @returns Takes the messages that follow, where the realm doesn't by itself.
 */
export function runNested(
  { code, name, wasm }: NestedStart,
  { thread, entry }: { thread?: ParentPort; entry: string },
): (message: unknown) => void {
  const define = (key: string, value: unknown): void => {
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  };
  // Emscripten's glue takes anything that calls itself Node for Node's main thread, and would call require().
  const { process }: { process?: object } = globalThis as object;
  if (process) Object.defineProperty(process, "type", { value: "renderer", configurable: true });
  if (!("WorkerGlobalScope" in globalThis)) define("WorkerGlobalScope", class WorkerGlobalScope {});
  shapePage(define);
  if (thread || name !== "") define("name", name);
  if (wasm) define("fetch", fetchWith(wasm, globalThis.fetch));
  shapeWorkers({ entry });
  if (thread) {
    define(
      "postMessage",
      (message: unknown, transfer: readonly ArrayBuffer[] | { transfer?: readonly ArrayBuffer[] } = []) => {
        thread.post(message, Array.isArray(transfer) ? transfer : "transfer" in transfer ? transfer.transfer : []);
      },
    );
  }
  const scripts = builtinModule<Scripts>("node:vm");
  if (!scripts) throw new Error("Cannot run wllama's worker code: this host has no node:vm");
  scripts.runInThisContext(code, { filename: `wllama-${name === "" ? "main" : name}.js` });
  return (data) => {
    const { onmessage }: { onmessage?: Handler<{ data: unknown }> } = globalThis as object;
    onmessage?.({ data });
  };
}

/** The globals of a page that wllama and its glue ask for. */
export function shapePage(define: (key: string, value: unknown) => void): void {
  if (!("self" in globalThis)) define("self", globalThis);
  if (typeof location === "undefined") define("location", { href: "http://localhost/" });
  if (typeof navigator === "undefined") define("navigator", { userAgent: "", hardwareConcurrency: 1 });
}

type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

function fetchWith({ url, bytes }: { url: string; bytes: Uint8Array<ArrayBuffer> }, next: Fetch): Fetch {
  return async (input, init) =>
    String(input) === url
      ? new Response(bytes, { headers: { "content-type": "application/wasm" } })
      : next(input, init);
}
