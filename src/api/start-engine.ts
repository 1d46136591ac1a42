import { InferenceError } from "../errors.ts";
import { chooseThreads } from "../engine/choose-threads.ts";
import type { Engine, ModelFacts } from "../engine/engine.ts";
import { HeadStart } from "../engine/head-start.ts";
import { startLlama } from "../engine/start-llama.ts";
import { startWllama } from "../engine/start-wllama.ts";
import { wllamaAssets } from "../engine/wllama-assets.ts";
import type { ModelHeader } from "../gguf/model-header.ts";
import type { WeightFile } from "../gguf/weight-file.ts";
import { wasmFeatures } from "../platform/features.ts";
import { hasWorkers } from "../platform/start-worker.ts";
import { chooseVariant, most32Bytes, NoVariant } from "../engine/variant.ts";
import type { Variant, VariantHost } from "../engine/variant.ts";
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

/** Begins what needs no header: the module that most models run on is compiled, and a worker comes up. */
export function beginEngine({ engine = "auto", simd, memory, wasm = {}, signal }: LoadOptions): HeadStart {
  const options = { ...wasm, signal };
  if (engine === "wllama") return new HeadStart(undefined, options);
  try {
    return new HeadStart(chooseVariant(thisHost(), { simd, memory, neededBytes: 0 }), options);
  } catch {
    // Why will be said when the header is read.
    return new HeadStart(undefined, options);
  }
}

function thisHost(): VariantHost & { readonly maxMemory: number } {
  // Memory is shared with other threads, and so only where there are any.
  return { ...wasmFeatures(), sharedMemory: typeof SharedArrayBuffer !== "undefined" && hasWorkers() };
}

/**
 * Chooses the engine and sizes its context. "auto" takes ours where its module is there and the host can run it.
 *
 * @throws {InferenceError} `memory`, `unsupported`, `network`
 */
export async function planEngine(model: ModelToRun, options: LoadOptions, headStart: HeadStart): Promise<EnginePlan> {
  const { engine = "auto" } = options;
  if (engine === "wllama") return planWllama(model, options, []);
  try {
    return await planLlama(model, options, headStart);
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

async function planLlama(model: ModelToRun, options: LoadOptions, headStart: HeadStart): Promise<EnginePlan> {
  const { header, facts } = model;
  const { threads = "auto" } = options;
  const host = thisHost();
  const most = options.memory === "wasm32" ? most32Bytes : host.maxMemory;
  const wanted = fitMemory(header, most, fitRequest(model, options));
  const variant = chooseVariant(host, { simd: options.simd, memory: options.memory, neededBytes: wanted.initialBytes });
  const compiled = await headStart.compile(variant);
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
        startWorker: () => headStart.startWorker(),
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
        ...(wasm?.worker === undefined ? {} : { startWorker: wasm.worker }),
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

function starting({ signal, onprogress }: LoadOptions): {
  signal?: AbortSignal;
  onprogress?: (loaded: number, total: number) => void;
} {
  return {
    ...(signal ? { signal } : {}),
    ...(onprogress && {
      onprogress: (loaded: number, total: number) => onprogress({ phase: "load", loaded, total }),
    }),
  };
}
