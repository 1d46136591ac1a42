// Workers of node:worker_threads: all that Node has, and in Deno those that need not keep the process alive.
import { builtinModule, detectRuntime } from "./detect.ts";
import type { ParentPort, WorkerPort } from "./worker-port.ts";

interface MessagePortLike {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: unknown) => void): void;
}
interface ThreadLike {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message" | "error" | "messageerror" | "exit", listener: (value: unknown) => void): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}
interface WorkerThreads {
  readonly Worker: new (url: URL, options: { workerData: unknown; name?: string }) => ThreadLike;
  readonly parentPort: MessagePortLike | null;
  readonly workerData: unknown;
}

// Tells our thread from others, and from a web worker, where Deno and Bun define a parentPort too.
const mark = "ruminate";

function workerThreads(): WorkerThreads | undefined {
  return builtinModule<WorkerThreads>("node:worker_threads");
}

/** Whether workers are to be started as threads: in Node, and in Deno where the file is on disk. */
export function usesThreads(url: URL): boolean {
  const runtime = detectRuntime();
  return runtime === "node" || (runtime === "deno" && url.protocol === "file:");
}

/**
 * Starts a thread.
 *
 * @param url A module that opens {@link parentThread}.
 */
export function startThread(url: URL, name = "ruminate"): WorkerPort {
  const threads = workerThreads();
  if (!threads) throw new Error("Cannot start a thread: this host has no node:worker_threads");
  const thread = new threads.Worker(url, { workerData: { [mark]: true }, name });
  let ending: Promise<void> | undefined;
  return {
    post: (message, transfer = []) => thread.postMessage(message, transfer),
    listen(onMessage, onFailure) {
      thread.on("message", onMessage);
      thread.on("error", (error) => onFailure(error instanceof Error ? error : new Error(String(error))));
      thread.on("messageerror", () => onFailure(new Error("a message could not be read")));
      thread.on("exit", (code) => {
        if (!ending) onFailure(new Error(`its thread ended by itself, with code ${String(code)}`));
      });
    },
    keepAlive: (value) => (value ? thread.ref() : thread.unref()),
    terminate() {
      ending ??= thread.terminate().then(() => undefined);
      return ending;
    },
  };
}

/** Inside a thread that {@link startThread} started: the way to its owner; undefined elsewhere. */
export function parentThread(): ParentPort | undefined {
  const threads = workerThreads();
  const data = threads?.workerData;
  const port = threads?.parentPort;
  if (!port || typeof data !== "object" || data === null || !(mark in data)) return undefined;
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    listen: (onMessage) => port.on("message", onMessage),
  };
}
