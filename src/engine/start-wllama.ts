import type { WeightFile } from "../gguf/weight-file.ts";
import { startWllamaWorker } from "../platform/start-worker.ts";
import { connectEngine } from "./client.ts";
import type { ContextConfig, Engine, ModelFacts } from "./engine.ts";
import { wllamaAssets } from "./wllama-assets.ts";
import type { WllamaRequest } from "./wllama.ts";

export interface StartWllamaOptions {
  /** The model's shards, in order. Read as long as the engine lives; they stay the caller's to close. */
  readonly files: readonly WeightFile[];
  readonly facts: ModelFacts;
  readonly context: ContextConfig;
  readonly threads: number | "auto";
  /** The WebAssembly file, in place of the package's own. */
  readonly wasmUrl?: string | URL;
  /** The worker, in place of the package's own. */
  readonly startWorker?: () => Worker;
  readonly signal?: AbortSignal;
  /** Bytes of the weights. */
  readonly onprogress?: (loaded: number, total: number) => void;
}

/**
 * Starts wllama in a worker and loads a model into it.
 *
 * @throws {InferenceError} `format`, `memory`, `network` (an asset), `unsupported`, `crashed`
 * @throws `signal.reason`
 */
export async function startWllama(options: StartWllamaOptions): Promise<Engine> {
  const { files, facts, context, threads, signal, onprogress } = options;
  signal?.throwIfAborted();
  const request: WllamaRequest = {
    // Only what the engine needs: the caller's facts may hold more than a message can.
    facts: {
      controlTokens: facts.controlTokens,
      endTokens: facts.endTokens,
      architecture: facts.architecture,
      contextTrained: facts.contextTrained,
    },
    context,
    threads,
    assets: wllamaAssets(options.wasmUrl),
  };
  return connectEngine(startWllamaWorker(options.startWorker), {
    request,
    files,
    ...(signal ? { signal } : {}),
    ...(onprogress ? { onprogress } : {}),
  });
}
