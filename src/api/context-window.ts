import { planContext } from "../context/plan-context.ts";
import type { Extension } from "../context/rope-scaling.ts";
import { InferenceError } from "../errors.ts";
import { sameContext, type ContextConfig, type Engine } from "../engine/engine.ts";

/** New tokens that a context has room for at least, where neither the request nor the model's maker names a number. */
export const usualReply = 4096;

/** What a window is made from. Sizes are tokens. */
export interface WindowOptions {
  readonly context: EngineContext;
  readonly trained: number;
  /** New tokens that the model's maker recommends to leave room for. */
  readonly recommended: number | undefined;
  readonly extension: Extension;
  readonly kvType: ContextConfig["kvType"];
  /** A size that the user asked for by number; undefined: as the requests need. */
  readonly fixedSize: number | undefined;
  /** The largest size that the memory allows. */
  readonly memorySize: number;
}

/** The one context of an engine, shared by all the windows onto it. */
export class EngineContext {
  readonly #engine: Engine;
  /** What the engine was started with, and returns to when nothing larger is needed. */
  readonly initial: ContextConfig;
  #config: ContextConfig;

  constructor(engine: Engine, initial: ContextConfig) {
    this.#engine = engine;
    this.initial = initial;
    this.#config = initial;
  }

  get config(): ContextConfig {
    return this.#config;
  }

  /** @returns Whether it had to be rebuilt, which drops the KV cache. */
  async change(config: ContextConfig, signal: AbortSignal | undefined): Promise<boolean> {
    if (sameContext(config, this.#config)) return false;
    await this.#engine.configure(config, signal ? { signal } : {});
    this.#config = config;
    return true;
  }
}

/** The room that a request got. */
export interface Room {
  /** New tokens that fit. */
  readonly maxTokens: number;
  /** Whether the KV cache was dropped to make it. */
  readonly rebuilt: boolean;
}

/** Sizes the context to each request: plain RoPE while it fits, YaRN when it must, and back. */
export class ContextWindow {
  readonly #options: WindowOptions;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /**
   * Tokens up to which RoPE stays plain. A size asked for by number with `extend: "off"` is taken at its word, past the
   * trained length too: that is how models with other ways to extend are run, and how YaRN is compared to nothing.
   */
  get #trained(): number {
    const { extension, trained, fixedSize } = this.#options;
    return extension.enabled ? (extension.originalContext ?? trained) : Math.max(trained, fixedSize ?? 0);
  }

  /** Tokens that a request can have at most, after growing and extending. */
  get limit(): number {
    const { extension, fixedSize, memorySize } = this.#options;
    const longest = extension.enabled ? this.#trained * (extension.factor ?? 4) : this.#trained;
    return Math.min(fixedSize ?? Infinity, longest, memorySize);
  }

  /**
   * Whether a request of at most `tokens` certainly runs in the context as it is, so that nobody needs to count.
   *
   * @param maxTokens New tokens asked for by number.
   */
  holds(tokens: number, maxTokens: number | undefined): boolean {
    const { size, rope, kvType } = this.#options.context.config;
    if (kvType !== this.#options.kvType) return false;
    // A window smaller than the context has to bound a reply that nothing else does.
    if (maxTokens === undefined && this.limit < size) return false;
    if (rope || tokens + (maxTokens ?? 1) > Math.min(size, this.limit)) return false;
    const plan = this.#plan(tokens, maxTokens);
    return plan.rope === undefined && plan.size <= size;
  }

  /** @throws {InferenceError} `context-full` with `{ needed, window }` if no context of this window holds the request */
  check(inputTokens: number, maxTokens: number | undefined): void {
    const needed = inputTokens + (maxTokens ?? 1);
    if (needed > this.limit) throw contextFull(needed, this.limit);
  }

  /**
   * Makes the context fit a request.
   *
   * @param inputTokens Length of the prompt.
   * @param maxTokens New tokens asked for by number; undefined: what is left, up to the recommendation.
   * @throws {InferenceError} `context-full` with `{ needed, window }`; `memory`
   */
  async fit(inputTokens: number, maxTokens: number | undefined, signal: AbortSignal | undefined): Promise<Room> {
    this.check(inputTokens, maxTokens);
    const plan = this.#plan(inputTokens, maxTokens);
    const size = this.#sizeFor(Math.min(plan.size, this.limit), plan.rope?.factor);
    const config: ContextConfig = { size, kvType: this.#options.kvType, ...(plan.rope ? { rope: plan.rope } : {}) };
    const rebuilt = await this.#options.context.change(config, signal);
    return { maxTokens: Math.min(plan.maxTokens, size - inputTokens), rebuilt };
  }

  /** Keeps the size while it serves, and grows by doubling: a rebuild evaluates the whole prompt anew. */
  #sizeFor(planned: number, factor: number | undefined): number {
    const { fixedSize, memorySize, context } = this.#options;
    const fits = context.config.rope?.factor === factor;
    if (fixedSize !== undefined) return fits ? Math.max(context.config.size, fixedSize) : fixedSize;
    const current = fits ? context.config.size : context.initial.size;
    if (planned <= current) return current;
    const roof = Math.ceil(this.#trained * (factor ?? 1));
    return Math.min(Math.max(planned, Math.min(2 * current, roof)), memorySize);
  }

  #plan(inputTokens: number, maxTokens: number | undefined): ReturnType<typeof planContext> {
    const { recommended, extension, fixedSize, memorySize } = this.#options;
    const factor = extension.enabled ? extension.factor : 1;
    const plan = planContext({
      inputTokens,
      trained: this.#trained,
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(recommended === undefined ? {} : { recommended }),
      ...(factor === undefined ? {} : { factor }),
      limit: Math.min(fixedSize ?? Infinity, memorySize),
      ...(extension.above === undefined ? {} : { above: extension.above }),
    });
    if (plan.rope || maxTokens !== undefined || recommended !== undefined) return plan;
    // Nothing says how long the reply may be: that is no reason to fill the memory with an empty context.
    return { ...plan, size: Math.min(plan.size, inputTokens + usualReply) };
  }
}

/** The error of a request that no context of this model holds. */
export function contextFull(needed: number, window: number): InferenceError {
  return new InferenceError(
    "context-full",
    `Cannot run the request: it needs ${needed} tokens and the context holds ${window}; ` +
      "send less, ask for fewer new tokens, or set context.overflow",
    { details: { needed, window } },
  );
}
