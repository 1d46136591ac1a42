import { InferenceError } from "../errors.ts";
import type { WeightFile } from "../gguf/weight-file.ts";
import { checkBytes, parseIntegrity } from "../platform/integrity.ts";
import { compileAsset, readAsset } from "../platform/read-asset.ts";
import { hasWorkers, startWorker } from "../platform/start-worker.ts";
import type { WorkerPort } from "../platform/worker-port.ts";
import { createMemory } from "../wasm/memory.ts";
import type { AddressBits } from "../wasm/memory.ts";
import { connectEngine } from "./client.ts";
import type { Engine, EngineInfo } from "./engine.ts";
import type { LlamaRequest } from "./llama.ts";
import { llamaAsset } from "./llama-assets.ts";
import { startComputeThreads, withThreads } from "./llama-workers.ts";
import type { Variant } from "./variant.ts";

/** What the worker's loader wants: the module, the memory that it shares with others, and the model. */
export interface LlamaWorkerRequest extends LlamaRequest {
  readonly module: WebAssembly.Module;
  readonly bits: AddressBits;
  readonly info: EngineInfo;
  /** Absent: the worker makes a memory of its own. */
  readonly shared?: {
    readonly memory: WebAssembly.Memory;
    readonly slots: SharedArrayBuffer;
    readonly threads: number;
  };
}

export interface LlamaModule {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
}

/** How a module is got. */
export interface ModuleOptions {
  /** In place of the package's own file. */
  readonly url?: string | URL | undefined;
  /** A Subresource-Integrity string that its bytes have to fit. */
  readonly integrity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Modules that somebody still uses: what one compiled, the next need not, and its machine code is there once. */
const compiledModules = new Map<string, WeakRef<WebAssembly.Module>>();

/**
 * Gets a module and compiles it, unless that was done for a model that is still there.
 *
 * @throws {InferenceError} `network`, `integrity`, `unsupported`
 */
export async function compileLlama(
  variant: Variant,
  { url, integrity, signal }: ModuleOptions = {},
): Promise<LlamaModule> {
  const own = url === undefined ? llamaAsset(variant) : absolute(url);
  // One that was compiled unchecked is not taken for checked.
  const name = `${integrity ?? ""} ${own.href}`;
  const known = compiledModules.get(name)?.deref();
  if (known) return { module: known, variant };
  try {
    const module =
      integrity === undefined
        ? await compileAsset(own.href, signal)
        : await compileChecked(own.href, integrity, signal);
    compiledModules.set(name, new WeakRef(module));
    return { module, variant };
  } catch (cause) {
    signal?.throwIfAborted();
    if (InferenceError.is(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("unsupported", `Cannot use the engine's file ${own.href}: ${reason}`, { cause });
  }
}

/** All bytes are there before any is compiled. */
async function compileChecked(url: string, integrity: string, signal?: AbortSignal): Promise<WebAssembly.Module> {
  const bytes = await readAsset(url, signal);
  await checkBytes(bytes, parseIntegrity(integrity, "wasm.integrity"), url);
  return WebAssembly.compile(bytes);
}

export interface StartLlamaOptions extends LlamaRequest, LlamaModule {
  /** The model's shards, in order. Read as long as they load; they stay the caller's to close. */
  readonly files: readonly WeightFile[];
  readonly threads: number;
  /** What was wanted and is not had, so far. */
  readonly why: readonly string[];
  /** Starts a worker of the engine's; called once for the engine, and once for each further thread. */
  readonly startWorker?: () => WorkerPort;
  readonly signal?: AbortSignal;
  /** Bytes of the weights. */
  readonly onprogress?: (loaded: number, total: number) => void;
}

/**
 * Starts our engine in a worker, with threads beside it, and loads a model into it.
 *
 * @throws {InferenceError} `format`, `memory`, `crashed`
 * @throws `signal.reason`
 */
export async function startLlama(options: StartLlamaOptions): Promise<Engine> {
  const { module, variant, facts, context, headers, files, signal, onprogress } = options;
  const start = options.startWorker ?? (() => startWorker("llama"));
  const info = (threads: number, why: readonly string[]): EngineInfo => ({
    engine: "llama",
    threads,
    simd: variant.simd,
    memory: variant.bits === 64 ? "wasm64" : "wasm32",
    why: [...options.why, ...why],
  });
  const request = { facts, context, headers, module, bits: variant.bits };
  if (!hasWorkers()) {
    // Only here is the engine itself wanted on this side: elsewhere it comes with the worker.
    const { startInThread } = await import("./in-thread.ts");
    return startInThread({ ...request, info: info(1, []), files, signal, onprogress });
  }
  const connecting = { files, ...(signal ? { signal } : {}), ...(onprogress ? { onprogress } : {}) };
  if (!variant.shared) return connectEngine(start(), { ...connecting, request: { ...request, info: info(1, []) } });
  const memory = createMemory({ bits: variant.bits, shared: true });
  const threads = await startComputeThreads(start, options.threads - 1, { module, memory, bits: variant.bits });
  if (signal?.aborted) await threads.end();
  signal?.throwIfAborted();
  const count = threads.count + 1;
  return connectEngine<LlamaWorkerRequest>(withThreads(start(), threads), {
    ...connecting,
    request: {
      ...request,
      info: info(count, threads.why),
      shared: { memory, slots: threads.slots.buffer, threads: count },
    },
    interrupt: () => threads.slots.interrupt(memory),
  });
}

function absolute(url: string | URL): URL {
  return new URL(url, typeof location === "undefined" ? undefined : location.href);
}
