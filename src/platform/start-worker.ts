import type { WorkerPort } from "./worker-port.ts";
import { startWllamaThread, usesThreads, wllamaThreadUrl } from "./worker-threads.ts";
import { startWllamaWebWorker, webWorkerPort } from "./worker-web.ts";

/**
 * Starts the worker that wllama runs in.
 *
 * @param start A caller's own way to start it, for bundlers and policies that ours does not suit.
 */
export function startWllamaWorker(start?: () => Worker): WorkerPort {
  if (start) return webWorkerPort(start());
  return usesThreads(wllamaThreadUrl()) ? startWllamaThread() : startWllamaWebWorker();
}
