import type { WeightFile } from "../gguf/weight-file.ts";
import type { WorkerPort } from "../platform/worker-port.ts";
import { startWorker } from "../platform/start-worker.ts";
import { connect, connectEngine, isSilent } from "./client.ts";
import type { Connected } from "./client.ts";
import type { ContextConfig, Engine, ModelFacts } from "./engine.ts";
import type { WllamaAssets } from "./wllama-assets.ts";
import type { WllamaRequest } from "./wllama.ts";

/**
 * A first start is given up soon: in Firefox 153 a worker that starts a worker of its own hangs for good in `new Worker()`,
 * about once in fifty loads; started anew, it does not.
 */
const shortPatienceMs = 5000;

export interface StartWllamaOptions {
  /** The model's shards, in order. Read as long as the engine lives; they stay the caller's to close. */
  readonly files: readonly WeightFile[];
  readonly facts: ModelFacts;
  readonly context: ContextConfig;
  readonly threads: number | "auto";
  /** What was wanted and is not had, so far. */
  readonly why?: readonly string[];
  readonly assets: WllamaAssets;
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
  const { files, facts, context, threads, assets, signal, onprogress } = options;
  signal?.throwIfAborted();
  const request: WllamaRequest = {
    facts,
    context,
    threads,
    why: options.why ?? [],
    assets,
  };
  let told = 0;
  const start = (): WorkerPort => startWorker("wllama", options.startWorker);
  const restart = (config: ContextConfig): Promise<Connected> =>
    connect(start(), { request: { ...request, context: config }, files });
  const attempt = (patienceMs?: number): Promise<Engine> => {
    const connecting = {
      request,
      files,
      patienceMs,
      ...(signal ? { signal } : {}),
      ...(onprogress && {
        onprogress: (loaded: number, total: number) => {
          // A second start reads again what the first had read.
          if (loaded > told) onprogress((told = loaded), total);
        },
      }),
    };
    return connectEngine(start(), connecting, restart);
  };
  try {
    return await attempt(shortPatienceMs);
  } catch (error) {
    if (!isSilent(error)) throw error;
    return attempt();
  }
}
