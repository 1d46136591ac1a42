// The engine interface over @wllama/wllama's prebuilt module. It runs in our worker, whose globals suit that library.
import { InferenceError } from "../errors.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import type {
  CompleteOptions,
  ContextConfig,
  Engine,
  EngineCapabilities,
  EngineEvent,
  EngineInfo,
  ModelFacts,
} from "./engine.ts";
import type { ThreadChoice } from "./choose-threads.ts";
import { drain } from "./drain.ts";
import { sameContext } from "./engine.ts";
import type { LoadHost } from "./host.ts";
import type { WllamaAssets } from "./wllama-assets.ts";
import { CompletionReader, completionBody, refusal } from "./wllama-completion.ts";
import { modelEnds } from "./wllama-ends.ts";
import { RefusedCompletion, WllamaModule } from "./wllama-module.ts";
import type { ModuleHost, ModuleOptions } from "./wllama-module.ts";
import { createAliases, PromptSpeller } from "./wllama-prompt.ts";
import { applyPatches, vocabularyPatches } from "./wllama-vocabulary.ts";
import type { Patch } from "./wllama-vocabulary.ts";

/** What a client asks of the worker. */
export interface WllamaRequest {
  readonly facts: ModelFacts;
  readonly context: ContextConfig;
  readonly threads: number | "auto";
  /** What was wanted and is not had, so far. */
  readonly why: readonly string[];
  readonly assets: WllamaAssets;
}

const capabilities: EngineCapabilities = {
  tokenize: false,
  logprobs: true,
  logitBias: true,
  grammar: true,
  jsonSchema: true,
  state: false,
  embed: false,
  rank: false,
};

/**
 * Loads a model.
 *
 * @throws {InferenceError} `format`, `memory`, `crashed`
 */
export async function loadWllama(
  { facts, context }: WllamaRequest,
  load: LoadHost,
  module: { readonly host: ModuleHost; readonly choice: ThreadChoice },
): Promise<Engine> {
  const aliases = createAliases(facts.controlTokens);
  const [first] = load.files;
  if (!first) throw new InferenceError("format", "Cannot load a model from no files; at least one is wanted");
  const patches = await vocabularyPatches((offset, length) => load.read(0, { offset, length }), first.size, aliases);
  const blobs = load.files.map((file, index) =>
    weightBlob(file.size, (offset, length) => load.read(index, { offset, length }), index === 0 ? patches : []),
  );
  const engine = new WllamaEngine({ module, facts, blobs, speller: new PromptSpeller(aliases), crashed: load.crashed });
  await engine.start(context);
  return engine;
}

interface WllamaEngineOptions {
  readonly module: { readonly host: ModuleHost; readonly choice: ThreadChoice };
  readonly facts: ModelFacts;
  readonly blobs: readonly Blob[];
  readonly speller: PromptSpeller;
  readonly crashed: (error: unknown) => void;
}

class WllamaEngine implements Engine {
  readonly capabilities: EngineCapabilities = capabilities;
  #options: WllamaEngineOptions;
  #threads: number;
  #why: string[];
  #module: WllamaModule | undefined;
  #config: ContextConfig | undefined;
  #closed = false;

  constructor(options: WllamaEngineOptions) {
    this.#options = options;
    this.#threads = options.module.choice.threads;
    this.#why = [...options.module.choice.why];
  }

  get info(): EngineInfo {
    return {
      engine: "wllama",
      threads: this.#threads,
      simd: "fixed",
      memory: this.#options.module.host.build.memory,
      why: this.#why,
    };
  }

  /** Starts the module with a context; with one thread if it will not with several. */
  async start(config: ContextConfig, signal?: AbortSignal): Promise<void> {
    const { facts, blobs } = this.#options;
    const ends = modelEnds(facts);
    this.#why = this.#why.concat(ends.why.filter((sentence) => !this.#why.includes(sentence)));
    const options = { blobs, facts, ends: ends.ids, context: config, signal };
    const started = await this.#startModule(options);
    this.#module = started;
    this.#config = config;
    started.lost.catch((error: unknown) => {
      if (this.#module === started) this.#options.crashed(error);
    });
  }

  /** Several threads are tried twice: in Firefox one of their workers hangs now and then (see start-wllama.ts). */
  async #startModule(options: Omit<ModuleOptions, "threads">): Promise<WllamaModule> {
    const wanted = this.#threads;
    const { host } = this.#options.module;
    let failure = "";
    for (const threads of wanted === 1 ? [] : [wanted, wanted]) {
      try {
        return await WllamaModule.start(host, { ...options, threads });
      } catch (error) {
        if (options.signal?.aborted || !InferenceError.is(error, "crashed")) throw error;
        failure = error.message;
      }
    }
    if (wanted > 1) this.#why.push(`It runs on 1 thread instead of ${wanted}: starting several failed. ${failure}`);
    this.#threads = 1;
    return WllamaModule.start(host, { ...options, threads: 1 });
  }

  async configure(config: ContextConfig, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#module && this.#config && sameContext(config, this.#config)) return;
    const before = this.#module;
    this.#module = undefined;
    // First gone, then new: two at once might not fit.
    await before?.end();
    await this.start(config, signal);
  }

  async *complete(
    prompt: readonly PromptSegment[],
    { signal, ...options }: CompleteOptions,
  ): AsyncGenerator<EngineEvent, void> {
    signal?.throwIfAborted();
    const text = this.#options.speller.spell(prompt);
    const { module, window } = await this.#ready(signal);
    const reader = new CompletionReader(window, options);
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    try {
      yield* drain<EngineEvent>({
        start: (emit) =>
          module.complete(completionBody(text, options), {
            signal: controller.signal,
            onData(chunk) {
              emit(reader.read(chunk));
              if (reader.finished) stop();
            },
          }),
        stop,
        signal,
      });
    } catch (error) {
      throw error instanceof RefusedCompletion ? refusal(error, window, options) : error;
    }
    yield* reader.end();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const module = this.#module;
    this.#module = undefined;
    await module?.end();
  }

  /** The module; started again, if a change of context did not come to its end. */
  async #ready(signal: AbortSignal | undefined): Promise<{ module: WllamaModule; window: number }> {
    if (this.#closed || !this.#config) throw new InferenceError("closed", "Cannot use this engine: it is closed");
    if (!this.#module) await this.start(this.#config, signal);
    if (!this.#module) throw new InferenceError("closed", "Cannot use this engine: it was closed while it started");
    return { module: this.#module, window: this.#config.size };
  }
}

/** As much of a Blob as wllama uses, over ranges that are read when asked for: no limit in size, nothing in memory. */
function weightBlob(
  size: number,
  read: (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>,
  patches: readonly Patch[],
): Blob {
  const bytesAt = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await read(start, end - start);
    if (bytes.byteLength !== end - start) {
      throw new InferenceError(
        "format",
        `Cannot load the model: its file ends after ${start + bytes.byteLength} bytes, not ${size}`,
      );
    }
    applyPatches(bytes, start, patches);
    return bytes;
  };
  const part = (start: number, end: number): object => ({
    size: end - start,
    slice: (from = 0, to = end - start) => part(Math.min(start + from, end), Math.min(start + to, end)),
    arrayBuffer: async () => (await bytesAt(start, end)).buffer,
    stream: () => chunks(start, end, bytesAt),
  });
  // wllama uses these four members only; a real Blob can't be made of what is not in memory.
  return part(0, size) as Blob;
}

const chunkBytes = 2 ** 22;

function chunks(
  start: number,
  end: number,
  bytesAt: (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = start;
  return new ReadableStream({
    async pull(controller) {
      if (at >= end) return controller.close();
      const to = Math.min(at + chunkBytes, end);
      controller.enqueue(await bytesAt(at, to));
      at = to;
    },
  });
}
