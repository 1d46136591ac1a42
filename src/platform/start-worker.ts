import { InferenceError } from "../errors.ts";
import { builtinModule, detectRuntime } from "./detect.ts";
import type { WorkerPort } from "./worker-port.ts";
import { startThread, usesThreads } from "./worker-threads.ts";
import { startLlamaWebWorker, startWllamaWebWorker, webWorkerPort } from "./worker-web.ts";

/** Whether this host has workers at all. */
export function hasWorkers(): boolean {
  const runtime = detectRuntime();
  // workerd has a module of the name node:worker_threads, and nothing behind it.
  if (runtime === "workerd") return false;
  // Deno's threads are its workers, so where a host of it offers none there are none.
  if (runtime === "deno") return typeof Worker !== "undefined";
  return typeof Worker !== "undefined" || builtinModule("node:worker_threads") !== undefined;
}

/** The library's own workers. */
export type WorkerKind = "llama" | "wllama";

/**
 * Starts one of the library's workers.
 *
 * @param start A caller's own way to start it, for bundlers and policies that ours does not suit.
 * @throws {InferenceError} `unsupported` if the page's policy forbids our way
 */
export function startWorker(kind: WorkerKind, start?: () => Worker): WorkerPort {
  if (start) return webWorkerPort(start());
  const url = kind === "llama" ? llamaThreadUrl() : wllamaThreadUrl();
  if (usesThreads(url)) return startThread(url);
  try {
    return kind === "llama" ? startLlamaWebWorker() : startWllamaWebWorker();
  } catch (cause) {
    // Trusted types, and pages from disk.
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot start the engine's worker ${url.href}: ${reason}; start it yourself, as wasm.worker`;
    throw new InferenceError("unsupported", message, { cause });
  }
}

function llamaThreadUrl(): URL {
  return new URL("../worker/llama-worker.ts", import.meta.url);
}

function wllamaThreadUrl(): URL {
  return new URL("../worker/wllama-worker.ts", import.meta.url);
}
