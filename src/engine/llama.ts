// The engine interface over our own WebAssembly module, in the thread that it is created in.
import { InferenceError } from "../errors.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { ggmlTypes, poolingTypes, ropeTypes } from "../wasm/abi.ts";
import { NativeContext } from "../wasm/context.ts";
import type { NativeModel } from "../wasm/model.ts";
import type { WasmModule } from "../wasm/module.ts";
import { sameContext } from "./engine.ts";
import type {
  CompleteOptions,
  ContextConfig,
  Engine,
  EngineCapabilities,
  EngineEvent,
  EngineInfo,
  ModelFacts,
} from "./engine.ts";
import type { LoadHost } from "./host.ts";
import { runCompletion } from "./llama-completion.ts";
import { embedTexts, pairsOf, rankPooling, rankTexts } from "./llama-embedding.ts";
import { LlamaSequence } from "./llama-sequence.ts";
import { packState, unpackState } from "./llama-state.ts";
import { loadWeights } from "./llama-weights.ts";
import { promptUnits, specialPattern } from "./prompt-tokens.ts";
import type { PromptUnit } from "./prompt-tokens.ts";

/** Tokens evaluated at once, at most: llama.cpp's own default for one step. */
const batchTokens = 512;

/** What a client asks for. */
export interface LlamaRequest {
  readonly facts: ModelFacts;
  readonly context: ContextConfig;
  /** Bytes of each file's header. */
  readonly headers: readonly number[];
}

/**
 * Loads a model into a module.
 *
 * @throws {InferenceError} `format`, `memory`, `crashed`
 */
export async function loadLlama(
  { facts, context, headers }: LlamaRequest,
  files: Pick<LoadHost, "files" | "read">,
  { module, info }: { readonly module: WasmModule; readonly info: EngineInfo },
): Promise<Engine> {
  const weights = await loadWeights(module, files, headers);
  return new LlamaEngine({ ...weights, facts, info, config: context });
}

interface LlamaEngineOptions {
  readonly model: NativeModel;
  readonly fingerprint: string;
  readonly facts: ModelFacts;
  readonly info: EngineInfo;
  readonly config: ContextConfig;
}

class LlamaEngine implements Engine {
  readonly info: EngineInfo;
  readonly capabilities: EngineCapabilities;
  readonly #model: NativeModel;
  readonly #fingerprint: string;
  readonly #facts: ModelFacts;
  readonly #specials: RegExp | undefined;
  readonly #ends: ReadonlySet<number>;
  #config: ContextConfig;
  #open: { readonly context: NativeContext; readonly sequence: LlamaSequence } | undefined;
  readonly #closing: AbortController = new AbortController();
  /** Settles when the call under way has ended. */
  #running: Promise<void> | undefined;

  constructor(options: LlamaEngineOptions) {
    this.#model = options.model;
    this.#fingerprint = options.fingerprint;
    this.#facts = options.facts;
    this.#config = options.config;
    this.#specials = specialPattern(options.facts.controlTokens.keys());
    this.#ends = new Set(options.facts.endTokens);
    this.info = options.info;
    const ranks = options.facts.pooling === rankPooling;
    this.capabilities = {
      tokenize: true,
      logprobs: true,
      logitBias: true,
      grammar: true,
      jsonSchema: true,
      state: true,
      embed: !ranks,
      rank: ranks,
    };
    this.#open = ranks ? undefined : this.#openContext(options.config);
  }

  configure(config: ContextConfig, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#alone(async () => {
      signal?.throwIfAborted();
      this.#configure(config);
    });
  }

  async *complete(prompt: readonly PromptSegment[], options: CompleteOptions): AsyncGenerator<EngineEvent, void> {
    const end = this.#begin();
    try {
      const { signal } = options;
      signal?.throwIfAborted();
      const { sequence } = this.#context("complete a prompt");
      yield* runCompletion({
        sequence,
        units: this.#units(prompt, sequence.units),
        options: {
          ...options,
          signal: signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal,
        },
        window: this.#config.size,
        ends: (token) => this.#ends.has(token) || this.#model.ends(token),
      });
    } finally {
      end();
    }
  }

  #configure(config: ContextConfig): void {
    if (sameContext(config, this.#config)) return;
    const before = this.#config;
    // First gone, then new: two at once might not fit.
    this.#open?.context.free();
    this.#open = undefined;
    try {
      this.#open = this.#openContext(config);
      this.#config = config;
    } catch (error) {
      if (!this.#model.module.isDead) this.#open = this.#openContext(before);
      throw error;
    }
  }

  tokenize(text: string, { special }: { special: boolean }): Promise<Uint32Array> {
    return this.#alone(async () => Uint32Array.from(this.#model.tokenize(text.toWellFormed(), special)));
  }

  detokenize(tokens: Uint32Array): Promise<string> {
    return this.#alone(async () => new TextDecoder().decode(this.#model.detokenize(tokens, true)));
  }

  count(prompt: readonly PromptSegment[]): Promise<number> {
    return this.#alone(async () => {
      const units = this.#units(prompt, this.#open?.sequence.units ?? []);
      return units.reduce((sum, unit) => sum + unit.tokens.length, 0);
    });
  }

  saveState(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#alone(async () => packState(this.#context("save the state").sequence.save(), this.#stateKind()));
  }

  restoreState(state: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#alone(async () => {
      const { sequence } = this.#context("restore a state");
      sequence.restore(unpackState(state, this.#stateKind()));
    });
  }

  embed(texts: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array[]> {
    return this.#alone(async () => {
      const tokens = texts.map((text) => [...this.#model.tokenizeWhole(text.toWellFormed())]);
      return embedTexts(this.#model, tokens, { facts: this.#facts, signal });
    });
  }

  rank(query: string, documents: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<Float64Array> {
    return this.#alone(async () => {
      const pairs = pairsOf(
        { query, documents, template: this.#facts.rankTemplate },
        { model: this.#model, specials: this.#specials },
      );
      return rankTexts(this.#model, pairs, signal);
    });
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(closedError());
    await this.#running;
    this.#open?.context.free();
    this.#open = undefined;
    this.#model.free();
  }

  /** Runs one call by itself. */
  async #alone<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const end = this.#begin();
    try {
      return await work();
    } finally {
      end();
    }
  }

  /** @returns What to call when the call has ended. */
  #begin(): () => void {
    this.#closing.signal.throwIfAborted();
    if (this.#running) {
      throw new InferenceError(
        "busy",
        "Cannot start on this engine: another call runs on it; wait until that has ended",
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    return () => {
      this.#running = undefined;
      resolve();
    };
  }

  #units(prompt: readonly PromptSegment[], cached: readonly PromptUnit[]): PromptUnit[] {
    return promptUnits(this.#withBeginning(prompt), cached, {
      tokenizer: this.#model,
      specials: this.#specials,
    });
  }

  /** The token that this vocabulary puts before every prompt, unless the template has written it already. */
  #withBeginning(prompt: readonly PromptSegment[]): readonly PromptSegment[] {
    const { bos } = this.#model.info;
    if (bos < 0) return prompt;
    const [first] = prompt;
    const text = new TextDecoder().decode(this.#model.detokenize([bos], true));
    const isThere =
      first?.kind === "tokens" ? first.ids[0] === bos : first?.kind === "control" && first.text.startsWith(text);
    return isThere ? prompt : [{ kind: "tokens", ids: Uint32Array.of(bos) }, ...prompt];
  }

  #openContext(config: ContextConfig): { context: NativeContext; sequence: LlamaSequence } {
    const { rope } = config;
    const context = new NativeContext(this.#model, {
      size: config.size,
      batch: batchTokens,
      sequences: 1,
      typeK: ggmlTypes[config.kvType],
      typeV: ggmlTypes[config.kvType],
      flashAttention: -1,
      ropeType: rope ? ropeTypes.yarn : ropeTypes.asFile,
      yarnOriginal: rope?.originalContext ?? 0,
      ropeScale: rope ? 1 / rope.factor : 0,
      pooling: poolingTypes.off,
    });
    return { context, sequence: new LlamaSequence(this.#model, context) };
  }

  #context(action: string): { readonly context: NativeContext; readonly sequence: LlamaSequence } {
    if (this.#open) return this.#open;
    throw new InferenceError("unsupported", `Cannot ${action}: this model only ranks texts; use rank()`);
  }

  /** What a state must agree with: another model's numbers would be taken for this one's. */
  #stateKind(): string {
    const { kvType, rope } = this.#config;
    return JSON.stringify({ model: this.#fingerprint, kvType, rope });
  }
}

function closedError(): InferenceError {
  return new InferenceError("closed", "Cannot use this engine: it is closed; load the model again");
}
