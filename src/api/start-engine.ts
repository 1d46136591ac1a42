import { InferenceError } from "../errors.ts";
import { chooseThreads } from "../engine/choose-threads.ts";
import type { Engine, ModelFacts } from "../engine/engine.ts";
import { compileLlama, startLlama } from "../engine/start-llama.ts";
import type { LlamaModule } from "../engine/start-llama.ts";
import { startWllama } from "../engine/start-wllama.ts";
import { wllamaAssets } from "../engine/wllama-assets.ts";
import type { ModelHeader } from "../gguf/model-header.ts";
import type { WeightFile } from "../gguf/weight-file.ts";
import { probeFeatures } from "../platform/features.ts";
import { hasWorkers } from "../platform/start-worker.ts";
import { chooseVariant, most32Bytes, NoVariant } from "../engine/variant.ts";
import type { Variant } from "../engine/variant.ts";
import type { LoadOptions } from "./contract.ts";
import { fitMemory } from "./memory-fit.ts";
import type { MemoryFit } from "./memory-fit.ts";

/** What wllama's builds are limited to. */
const wllamaBytes = 2 ** 32;

export interface ModelToRun {
  readonly header: ModelHeader;
  readonly facts: ModelFacts;
  /** New tokens that the model's maker recommends to leave room for. */
  readonly reply: number | undefined;
}

/** An engine that can run a model, not yet started. */
export interface EnginePlan {
  readonly fit: MemoryFit;
  /** @throws {InferenceError} `format`, `memory`, `network`, `crashed` */
  readonly start: (files: readonly WeightFile[]) => Promise<Engine>;
}

/**
 * Chooses the engine and sizes its context. "auto" takes ours where its module is there and the host can run it.
 *
 * @throws {InferenceError} `memory`, `unsupported`, `network`
 */
export async function planEngine(model: ModelToRun, options: LoadOptions): Promise<EnginePlan> {
  const { engine = "auto" } = options;
  if (engine === "wllama") return planWllama(model, options, []);
  try {
    return await planLlama(model, options);
  } catch (error) {
    const why = whyNotLlama(error);
    if (why === undefined) throw error;
    if (engine === "llama") throw new InferenceError("unsupported", `Cannot load the model: ${why}`, { cause: error });
    return planInstead(model, options, why);
  }
}

/** wllama in place of our engine, where it is installed. */
function planInstead(model: ModelToRun, options: LoadOptions, why: string): EnginePlan {
  // What is to be checked is never run unchecked.
  if (options.wasm?.integrity !== undefined) throw new InferenceError("unsupported", `Cannot load the model: ${why}`);
  try {
    return planWllama(model, options, [`The slower engine wllama is used: ${why}`]);
  } catch (error) {
    if (!InferenceError.is(error, "unsupported")) throw error;
    throw new InferenceError("unsupported", `Cannot load the model: ${why} ${error.message}`, { cause: error });
  }
}

/** Why our engine can't be had on this host; undefined: the reason is another. */
function whyNotLlama(error: unknown): string | undefined {
  if (error instanceof NoVariant) return `${error.message}.`;
  if (InferenceError.is(error, "network") && error.details?.["url"] !== undefined) return error.message;
  return undefined;
}

async function planLlama(model: ModelToRun, options: LoadOptions): Promise<EnginePlan> {
  const { header, facts } = model;
  const { signal, wasm = {}, threads = "auto" } = options;
  const host = {
    ...(await probeFeatures()),
    // Memory is shared with other threads, and so only where there are any.
    sharedMemory: typeof SharedArrayBuffer !== "undefined" && hasWorkers(),
  };
  const most = options.memory === "wasm32" ? most32Bytes : host.maxMemory;
  const wanted = fitMemory(header, most, fitRequest(model, options));
  const variant = chooseVariant(host, { simd: options.simd, memory: options.memory, neededBytes: wanted.initialBytes });
  const compiled: LlamaModule = wasm.module
    ? { module: wasm.module, variant }
    : await compileLlama(variant, { url: wasm.url, integrity: wasm.integrity, signal });
  const fit = fitMemory(header, limitOf(variant, host.maxMemory), fitRequest(model, options));
  return {
    fit,
    start: (files) => {
      const chosen = hasWorkers()
        ? chooseThreads(threads, header.sizeBytes)
        : { threads: 1, why: ["One thread only: this host has no workers."] };
      return startLlama({
        ...compiled,
        facts: engineFacts(facts),
        context: fit.initial,
        headers: header.shards.map((shard) => shard.header.dataOffset),
        files,
        threads: variant.shared ? chosen.threads : 1,
        why: chosen.why,
        ...starting(options),
      });
    },
  };
}

function limitOf({ bits }: Variant, hostBytes: number): number {
  return bits === 64 ? hostBytes : most32Bytes;
}

function planWllama(model: ModelToRun, options: LoadOptions, why: readonly string[]): EnginePlan {
  const { header, facts } = model;
  const { wasm, threads = "auto" } = options;
  const assets = wllamaAssets(wasm?.url);
  const fit = fitMemory(header, wllamaBytes, fitRequest(model, options));
  return {
    fit,
    start: (files) =>
      startWllama({
        files,
        facts: engineFacts(facts),
        context: fit.initial,
        threads,
        why,
        assets,
        ...starting(options),
      }),
  };
}

/** Only what engines need: a message to a worker can't hold all of the model's own facts. */
function engineFacts(facts: ModelFacts): ModelFacts {
  const { controlTokens, endTokens, architecture, contextTrained, pooling, rankTemplate } = facts;
  return {
    controlTokens,
    endTokens,
    architecture,
    contextTrained,
    pooling,
    rankTemplate,
  };
}

function fitRequest({ facts, reply }: ModelToRun, { context = {} }: LoadOptions): Parameters<typeof fitMemory>[2] {
  return {
    trained: facts.contextTrained,
    wanted: typeof context.size === "number" ? context.size : undefined,
    reply,
    kvType: context.kvType ?? "f16",
  };
}

function starting({ signal, onprogress, wasm }: LoadOptions): {
  signal?: AbortSignal;
  onprogress?: (loaded: number, total: number) => void;
  startWorker?: () => Worker;
} {
  return {
    ...(signal ? { signal } : {}),
    ...(wasm?.worker === undefined ? {} : { startWorker: wasm.worker }),
    ...(onprogress && {
      onprogress: (loaded: number, total: number) => onprogress({ phase: "load", loaded, total }),
    }),
  };
}
