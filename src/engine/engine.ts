import type { PromptSegment } from "../prompt/segment.ts";

/** What an engine can do beyond completing a prompt. Whoever asks for what is false gets `unsupported`. */
export interface EngineCapabilities {
  /** `tokenize`, `detokenize` and `count` exist. */
  readonly tokenize: boolean;
  readonly logprobs: boolean;
  readonly logitBias: boolean;
  /** GBNF grammars. */
  readonly grammar: boolean;
  readonly jsonSchema: boolean;
  /** Save and restore of the KV cache. */
  readonly state: boolean;
  readonly embed: boolean;
  readonly rank: boolean;
}

/** How the engine runs, for `model.info`. */
export interface EngineInfo {
  readonly engine: string;
  /** Threads in use, at least 1. */
  readonly threads: number;
  readonly simd: "none" | "fixed" | "relaxed";
  readonly memory: "wasm32" | "wasm64" | "remote";
  /** For each thing that was wanted and not had, a sentence that says why. */
  readonly why: readonly string[];
}

/** The context (KV cache) that completions run in. */
export interface ContextConfig {
  /** Tokens. */
  readonly size: number;
  readonly kvType: "f16" | "q8_0" | "q4_0";
  /** YaRN: `factor` > 1; `originalContext` in tokens. Absent: RoPE as the file says. */
  readonly rope?: { readonly type: "yarn"; readonly factor: number; readonly originalContext: number };
}

/** Whether a change from one to the other would change nothing. */
export function sameContext(a: ContextConfig, b: ContextConfig): boolean {
  return (
    a.size === b.size &&
    a.kvType === b.kvType &&
    a.rope?.factor === b.rope?.factor &&
    a.rope?.originalContext === b.rope?.originalContext
  );
}

/** Sampling for one completion. Temperature 0 is greedy. */
export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  /** 0: all. */
  readonly topK: number;
  readonly minP: number;
  /** 1: none. */
  readonly repeatPenalty: number;
  readonly seed?: number;
}

export interface CompleteOptions {
  /** Tokens to sample at most; 0 only prefills (and counts). */
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** Texts that end the completion and are not part of it. */
  readonly stop: readonly string[];
  readonly format?: { type: "json"; schema?: object } | { type: "gbnf"; grammar: string };
  readonly logitBias?: ReadonlyMap<number, number>;
  /** How many alternatives a token to report; needs the capability. */
  readonly logprobs?: number;
  readonly signal?: AbortSignal;
}

export interface TokenLogprobEvent {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
  readonly top?: readonly TokenLogprobEvent[];
}

/** What a completion reports: prefill progress, then pieces of text, then exactly one `end`. */
export type EngineEvent =
  | { readonly type: "prefill"; readonly done: number; readonly total: number; readonly cached: number }
  /** `tokens`: how many were sampled since the piece before; text may be empty while a character is incomplete. */
  | {
      readonly type: "piece";
      readonly text: string;
      readonly tokens: number;
      readonly logprobs?: readonly TokenLogprobEvent[];
    }
  | {
      readonly type: "end";
      /** `stop`: an end token or a stop text; `length`: `maxTokens` or the context is spent. */
      readonly reason: "stop" | "length";
      /** Tokens: the whole prompt, how much of it came from the KV cache, and how many were sampled. */
      readonly usage: { readonly prompt: number; readonly cached: number; readonly completion: number };
      readonly timings: { readonly prefillMs: number; readonly decodeMs: number };
    };

/**
 * The one primitive that everything above is built from. Calls are made one at a time (the API layer queues them);
 * a second `complete` while one runs is a programming error and rejects with `busy`.
 */
export interface Engine {
  readonly info: EngineInfo;
  readonly capabilities: EngineCapabilities;
  /**
   * Makes the context fit `config`; does nothing when it already does, and drops the KV cache when it does not.
   *
   * @throws {InferenceError} `memory`, `crashed`, `closed`
   */
  configure(config: ContextConfig, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Evaluates what is not in the KV cache yet (longest common token prefix) and samples on. Leaving the iteration by
   * `break` or `signal` stops the engine before control returns, and leaves it usable.
   *
   * @throws {InferenceError} `context-full`, `grammar`, `unsupported`, `crashed`, `closed`
   */
  complete(prompt: readonly PromptSegment[], options: CompleteOptions): AsyncIterable<EngineEvent>;
  /** `special`: special tokens are found in the text. */
  tokenize?(text: string, options: { special: boolean }): Promise<Uint32Array>;
  detokenize?(tokens: Uint32Array): Promise<string>;
  /** Tokens of a prompt, which is not evaluated. */
  count?(prompt: readonly PromptSegment[]): Promise<number>;
  /** The KV cache with the prompt that is in it, as bytes. */
  saveState?(): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws {InferenceError} `format` if it is of another model or context; the cache is empty then */
  restoreState?(state: Uint8Array<ArrayBuffer>): Promise<void>;
  /** One vector of unit length for each text. Leaves the KV cache alone. */
  embed?(texts: readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  /** One score for each document, as the model gives it: higher fits better. */
  rank?(query: string, documents: readonly string[], options?: { signal?: AbortSignal }): Promise<Float64Array>;
  /** Idempotent. Pending calls reject with `closed`. */
  close(): Promise<void>;
}

/** What an engine learns about the model from its header. */
export interface ModelFacts {
  /** Every token text of the vocabulary whose type is CONTROL or UNKNOWN, with its id. */
  readonly controlTokens: ReadonlyMap<string, number>;
  /** Ids at which generation ends beside those the file itself names (GLM: `<|observation|>`). */
  readonly endTokens: readonly number[];
  /** Value of `general.architecture`. */
  readonly architecture: string;
  readonly contextTrained: number;
  /** llama.cpp's number of how the model pools embeddings, where its file says; 4: it ranks. */
  readonly pooling?: number | undefined;
  /** How a model that ranks wants a query and a document, where its file says: a text with `{query}` and `{document}`. */
  readonly rankTemplate?: string | undefined;
}
