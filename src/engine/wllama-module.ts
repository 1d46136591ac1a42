// One run of wllama's module: started, loaded with a model, used, ended.
import { InferenceError } from "../errors.ts";
import type { ContextConfig, ModelFacts } from "./engine.ts";

/** The little of `@wllama/wllama` that is used. */
export interface WllamaLike {
  setCompat(compat: { worker: { code: string }; wasm: string } | null, mode: "firefox_safari"): void;
  loadModel(blobs: Blob[], params: Record<string, unknown>): Promise<void>;
  getLoadedContextInfo(): { readonly success?: boolean };
  createCompletion(options: Record<string, unknown>): Promise<unknown>;
  exit(): Promise<void>;
}
export interface WllamaLogger {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
}
export type WllamaConstructor = new (
  paths: { default: string },
  config: { cacheManager: object; modelManager: object; suppressNativeLog: boolean; logger: WllamaLogger },
) => WllamaLike;

/** What the worker gives a run, since only the worker knows its host. */
export interface ModuleHost {
  readonly Wllama: WllamaConstructor;
  readonly build: WllamaBuild;
  /** Has the module's own worker, the next to start, report to these. */
  observe(observer: ModuleObserver): void;
}
export interface ModuleObserver {
  /** The module's worker said something. */
  active(): void;
  /** The module's worker is lost. */
  crashed(what: string): void;
}
export interface WllamaBuild {
  readonly memory: "wasm32" | "wasm64";
  /** A URL that the module's worker can fetch. */
  readonly wasmUrl: string;
  /** The script of the 32-bit build; undefined: the one inside the library. */
  readonly script?: string;
}

export interface ModuleOptions {
  readonly blobs: readonly Blob[];
  readonly facts: ModelFacts;
  readonly ends: readonly number[];
  readonly context: ContextConfig;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/** Silence while starting, in milliseconds, after which a start is taken for hung; then reads begin, and take their time. */
const startSilenceMs = 20_000;
// llama.cpp pads a context to this by itself.
const contextUnit = 256;
/** Tokens of one prefill step: also how long a stop may take to be heard. */
const batchTokens = 128;

/** A running module with its model. */
export class WllamaModule {
  #wllama: WllamaLike;
  #log: ModuleLog;
  /** Rejects when the module is lost, and never resolves. */
  readonly lost: Promise<never>;

  private constructor(wllama: WllamaLike, log: ModuleLog, lost: Promise<never>) {
    this.#wllama = wllama;
    this.#log = log;
    this.lost = lost;
  }

  /**
   * @throws {InferenceError} `format`, `memory`, `crashed`
   * @throws `signal.reason`
   */
  static async start(host: ModuleHost, options: ModuleOptions): Promise<WllamaModule> {
    const log = new ModuleLog();
    const { promise: lost, reject } = Promise.withResolvers<never>();
    lost.catch(() => undefined);
    const onAbort = (): void => reject(options.signal?.reason);
    options.signal?.addEventListener("abort", onAbort);
    const hang = (): void => reject(crash(`it said nothing for ${startSilenceMs / 1000} seconds while starting`));
    let timer = setTimeout(hang, startSilenceMs);
    host.observe({
      active() {
        clearTimeout(timer);
        timer = setTimeout(hang, startSilenceMs);
      },
      crashed: (what) => reject(crash(log.explainLoss(what))),
    });
    const { build } = host;
    const wllama = new host.Wllama(
      { default: build.wasmUrl },
      { cacheManager: {}, modelManager: {}, suppressNativeLog: false, logger: log.logger },
    );
    // Null would be "none": then the library goes by itself, without ever fetching a default from elsewhere.
    wllama.setCompat(
      build.script === undefined ? null : { worker: { code: build.script }, wasm: build.wasmUrl },
      "firefox_safari",
    );
    try {
      options.signal?.throwIfAborted();
      await Promise.race([wllama.loadModel([...options.blobs], loadParameters(options)), lost]);
      // wllama itself takes a refused model for a loaded one.
      if (wllama.getLoadedContextInfo().success !== true) throw new Error("it gave no reason");
      return new WllamaModule(wllama, log, lost);
    } catch (error) {
      await wllama.exit();
      if (options.signal?.aborted) throw options.signal.reason;
      throw loadError(error, log, options.context);
    } finally {
      clearTimeout(timer);
      host.observe({ active: () => undefined, crashed: (what) => reject(crash(log.explainLoss(what))) });
      options.signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Runs one completion to its end.
   *
   * @throws {RefusedCompletion} if the module will not run it
   * @throws {InferenceError} `crashed`
   */
  async complete(
    body: Record<string, unknown>,
    { signal, onData }: { signal: AbortSignal; onData: (chunk: unknown) => void },
  ): Promise<void> {
    this.#log.clear();
    try {
      const running = this.#wllama.createCompletion({ ...body, stream: true, abortSignal: signal, onData });
      await Promise.race([running, this.lost]);
    } catch (error) {
      if (InferenceError.is(error)) throw error;
      if (signal.aborted) return;
      throw new RefusedCompletion(this.#log.explain(messageOf(error)), this.#log.answer);
    }
  }

  /** Ends the module's worker. */
  async end(): Promise<void> {
    await this.#wllama.exit();
  }
}

/** The module's own word on why it will not run a completion. */
export class RefusedCompletion extends Error {
  /** What llama.cpp's server answered, where it did. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, answer: Readonly<Record<string, unknown>> | undefined) {
    super(message);
    this.answer = answer;
  }
}

/** Keeps what the module logs: wllama throws most of it away. */
class ModuleLog {
  #errors: string[] = [];
  #prints: string[] = [];
  /** What llama.cpp's server answered in place of a result. */
  answer: Readonly<Record<string, unknown>> | undefined;
  /** wllama passes its members on by themselves. */
  readonly logger: WllamaLogger = {
    debug: () => undefined,
    warn: () => undefined,
    log: (...values) => {
      this.#prints = [...this.#prints, ...values.filter((value) => typeof value === "string")].slice(-5);
    },
    error: (...values) => this.#keep(values),
  };

  clear(): void {
    this.#errors = [];
    this.#prints = [];
    this.answer = undefined;
  }

  /** Why something was refused: the module's own words, else `what`. */
  explain(what: string): string {
    return this.#errors.slice(-3).join("; ") || what;
  }

  /** Why the module was lost: what it printed last, without a level, is where llama.cpp says which check failed. */
  explainLoss(what: string): string {
    return [what, ...this.#errors.slice(-3), ...this.#prints.slice(-2)].filter((line) => line !== "").join("; ");
  }

  #keep(values: readonly unknown[]): void {
    for (const value of values) {
      if (typeof value === "string" && !value.startsWith("Stack trace")) this.#errors.push(value.trim());
      else if (typeof value === "object" && value !== null && "type" in value && "message" in value) {
        this.answer = Object.fromEntries(Object.entries(value));
      }
    }
    this.#errors = this.#errors.filter((line) => line !== "").slice(-10);
  }
}

function loadParameters({ facts, ends, context, threads }: ModuleOptions): Record<string, unknown> {
  const [eos, eot, eom] = ends;
  const overrides: Record<string, string> = {
    // A prompt is all that the engine is given, its first token included.
    "tokenizer.ggml.add_bos_token": "bool:false",
    "tokenizer.ggml.add_eos_token": "bool:false",
  };
  for (const [name, id] of Object.entries({ eos, eot, eom })) {
    if (id !== undefined) overrides[`tokenizer.ggml.${name}_token_id`] = `int:${id}`;
  }
  // Else llama.cpp's server caps every context at the trained length.
  if (context.size > facts.contextTrained) overrides[`${facts.architecture}.context_length`] = `int:${context.size}`;
  // llama.cpp aborts on a list that does not end with an empty key.
  overrides[""] = "int:0";
  const { rope, kvType } = context;
  return {
    n_ctx: Math.ceil(context.size / contextUnit) * contextUnit,
    n_threads: threads,
    n_gpu_layers: 0,
    n_parallel: 1,
    n_batch: batchTokens,
    n_ubatch: batchTokens,
    log_level: 4,
    jinja: false,
    warmup: false,
    ctx_shift: false,
    kv_overrides: overrides,
    cache_type_k: kvType,
    cache_type_v: kvType,
    // llama.cpp has a quantized V only with it; where both work, it is measured to be no slower.
    flash_attn: true,
    ...(rope && {
      rope_scaling_type: "LLAMA_ROPE_SCALING_TYPE_YARN",
      rope_freq_scale: 1 / rope.factor,
      yarn_orig_ctx: rope.originalContext,
    }),
  };
}

// A context fails for no other reason than its KV cache; the others are what engines say.
const outOfMemory =
  /failed to create.?context|failed to allocate|out of memory|bad_alloc|cannot enlarge memory|OOM|allocation failed/i;

function loadError(error: unknown, log: ModuleLog, context: ContextConfig): unknown {
  if (InferenceError.is(error) && error.code !== "crashed") return error;
  const reason = InferenceError.is(error) ? error.message : log.explain(messageOf(error));
  if (outOfMemory.test(reason)) {
    return new InferenceError(
      "memory",
      `Cannot load the model with a context of ${context.size} tokens: the host gave no more memory (${reason}); use fewer tokens or a smaller quantization`,
      { cause: error, details: { contextSize: context.size } },
    );
  }
  if (InferenceError.is(error)) return error;
  return new InferenceError("format", `Cannot load the model: llama.cpp refused it (${reason})`, { cause: error });
}

function crash(what: string): InferenceError {
  return new InferenceError(
    "crashed",
    `Cannot go on with this engine: its module failed (${what}); load the model again`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
