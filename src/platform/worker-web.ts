// Web workers: browsers, Bun, and Deno where the library does not come from disk.
import type { ParentPort, WorkerPort } from "./worker-port.ts";

interface Scope {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}

/** The worker of our own engine, as a web worker. Bundlers look for the address within `new Worker()`. */
export function startLlamaWebWorker(): WorkerPort {
  const url = new URL("../worker/llama-worker.ts", import.meta.url);
  if (isForeign(url)) return startForeignWorker(url);
  return webWorkerPort(new Worker(new URL("../worker/llama-worker.ts", import.meta.url), { type: "module" }));
}

/** The worker of wllama, as a web worker. */
export function startWllamaWebWorker(): WorkerPort {
  const url = new URL("../worker/wllama-worker.ts", import.meta.url);
  if (isForeign(url)) return startForeignWorker(url);
  return webWorkerPort(new Worker(new URL("../worker/wllama-worker.ts", import.meta.url), { type: "module" }));
}

function startForeignWorker(url: URL): WorkerPort {
  // A page may not start another origin's worker, but may start one of its own that imports the other's code.
  const source = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
  const blobUrl = URL.createObjectURL(source);
  const port = webWorkerPort(new Worker(blobUrl, { type: "module" }));
  return {
    ...port,
    terminate() {
      URL.revokeObjectURL(blobUrl);
      return port.terminate();
    },
  };
}

function isForeign(url: URL): boolean {
  // Bun and Deno have no page, so no origin to differ from.
  if (typeof location === "undefined" || !/^https?:$/.test(location.protocol)) return false;
  return /^https?:$/.test(url.protocol) && url.origin !== location.origin;
}

/** A web worker as a port. */
export function webWorkerPort(worker: Worker): WorkerPort {
  // Bun's workers have both, those of browsers neither, and need neither.
  const { ref, unref }: { ref?: () => void; unref?: () => void } = worker as object;
  let ended = false;
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen(onMessage, onFailure) {
      worker.addEventListener("message", (event: MessageEvent<unknown>) => onMessage(event.data));
      worker.addEventListener("messageerror", () => onFailure(new Error("a message could not be read")));
      worker.addEventListener("error", (event) => {
        // Else Deno ends the whole process.
        event.preventDefault();
        onFailure(new Error(event.message || "its script could not be loaded"));
      });
      // Bun's own event.
      worker.addEventListener("close", () => {
        if (!ended) onFailure(new Error("it ended by itself"));
      });
    },
    keepAlive(value) {
      const change = value ? ref : unref;
      change?.call(worker);
    },
    async terminate() {
      ended = true;
      worker.terminate();
    },
  };
}

/** Inside a web worker: the way to its owner. `stop` leaves later messages to others. */
export function parentWebPort(): ParentPort & { stop(): void } {
  // Only here is it known that globalThis is a worker's scope; the DOM's types say it is a window.
  const scope = globalThis as unknown as Scope;
  let listener: ((event: MessageEvent<unknown>) => void) | undefined;
  return {
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    listen(onMessage) {
      listener = (event) => onMessage(event.data);
      scope.addEventListener("message", listener);
    },
    stop() {
      if (listener) scope.removeEventListener("message", listener);
    },
  };
}
