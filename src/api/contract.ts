// The public types that name the host: sources, streams, signals. The plain-data ones are in ../contract.ts.
import type {
  KeepReasoning,
  Message,
  Part,
  ReasoningOptions,
  Result,
  RopeScaling,
  SamplingOptions,
  ToolDefinition,
} from "../contract.ts";

// ---------------------------------------------------------------- loading
export type { ModelSource } from "../gguf/source.ts";

/** A place that keeps downloaded weights: disk, OPFS, Cache API, memory. One small port. */
export interface ModelStore {
  open(key: string): Promise<Blob | null>;
  /** `at` > 0 resumes an interrupted download at that byte. */
  create(key: string, at: number): Promise<WritableStream<Uint8Array>>;
  delete(key: string): Promise<void>;
  keys(): AsyncIterable<string>;
}

/** How a model is fetched, checked and run. Everything has a default that fits the host. */
export interface LoadOptions {
  signal?: AbortSignal;
  onprogress?: (event: { phase: "fetch" | "verify" | "load"; loaded: number; total?: number; file?: string }) => void;
  store?: ModelStore | "auto" | false;
  /** Subresource-Integrity string, or one per shard name; checked while streaming, before the weights are used. */
  integrity?: string | Readonly<Record<string, string>>;
  fetch?: typeof globalThis.fetch;
  /** "auto": our WASM build where it is present, else wllama's; a remote engine is always explicit. */
  engine?: "auto" | "llama" | "wllama" | EngineFactory;
  device?: "auto" | "cpu" | "webgpu";
  threads?: number | "auto";
  simd?: "auto" | "relaxed" | "fixed";
  memory?: "auto" | "wasm32" | "wasm64";
  wasm?: { url?: string | URL; integrity?: string; module?: WebAssembly.Module; worker?: () => Worker };
  context?: ContextOptions;
}
/** What this host can do, and for each thing that it cannot, why, in a sentence that says how to get it. */
export interface Capabilities {
  runtime: "node" | "deno" | "bun" | "browser" | "workerd" | "unknown";
  threads: number;
  simd: "none" | "fixed" | "relaxed";
  memory64: boolean;
  maxMemory: number;
  webgpu: boolean;
  crossOriginIsolated: boolean;
  why: readonly string[];
}
/** An engine that the caller brings, as `LoadOptions.engine`. */
export type EngineFactory = { readonly kind: string };

// ---------------------------------------------------------------- context
/** The window that a model or a session works in, and what happens when a conversation outgrows it. */
export interface ContextOptions {
  /** Tokens. "auto": what the model, the request and the memory allow. */
  size?: number | "auto";
  kvType?: "f16" | "q8_0" | "q4_0";
  /** "auto": plain RoPE while it fits, YaRN with the smallest sufficient factor (at most 4) when it does not. */
  extend?:
    | "off"
    | "auto"
    | { type: "yarn"; factor?: number | "auto"; originalContext?: number; above?: number }
    | RopeScaling;
  overflow?: "error" | "shift" | "drop-oldest" | ((event: OverflowEvent) => Promise<readonly Message[]>);
}
/** What an `overflow` function is told: `messages` need `needed` tokens, and `window` is what there is. */
export interface OverflowEvent {
  messages: readonly Message[];
  needed: number;
  window: number;
  signal?: AbortSignal;
}

// ---------------------------------------------------------------- generation
/** A tool that the model may call, and the function that answers it where there is one. */
export interface Tool<A = unknown> extends ToolDefinition {
  execute?: (args: A, options: { signal: AbortSignal }) => unknown | Promise<unknown>;
}
/** How one run samples, thinks, and stops. What is not given is what the model recommends. */
export interface GenerateOptions extends SamplingOptions {
  signal?: AbortSignal;
  stop?: string | readonly string[];
  logitBias?: ReadonlyMap<number, number>;
  logprobs?: number;
  reasoning?: ReasoningOptions | ReasoningOptions["mode"];
  format?: { type: "json"; schema?: object } | { type: "gbnf"; grammar: string };
  tools?: readonly Tool[];
  toolChoice?: "auto" | "none" | "required" | { name: string };
}
/**
 * One run of the model. It starts when first consumed: iterate it for parts, or ask for `result()`; both together share
 * one run, and a second iteration is an error. Leaving early by break, throw or abort stops the engine. Not a thenable,
 * so that an async function can return it.
 */
export interface Generation extends AsyncIterable<Part>, AsyncDisposable {
  result(): Promise<Result>;
  readonly text: AsyncIterable<string>;
  readonly reasoning: AsyncIterable<string>;
  readonly stream: ReadableStream<Part>;
  endReasoning(): void;
  /** Server-sent events in OpenAI's chat-completion chunk shape, thoughts in `reasoning_content`. */
  toResponse(init?: ResponseInit): Response;
}
/** A loaded model. Calls that overlap wait for each other, in the order they were made; `close()` frees its memory. */
export interface Model extends AsyncDisposable {
  readonly info: {
    architecture: string;
    name?: string;
    contextTrained: number;
    vocabularySize: number;
    sizeBytes: number;
    engine: string;
    threads: number;
    simd: string;
    memory: string;
    metadata: ReadonlyMap<string, unknown>;
  };
  /** Raw completion: no template. */
  generate(prompt: string | Uint32Array, options?: GenerateOptions): Generation;
  /** One stateless chat turn through the model's template. */
  chat(messages: readonly Message[], options?: GenerateOptions & { keepReasoning?: KeepReasoning }): Generation;
  session(options?: SessionOptions): Promise<Session>;
  tokenize(text: string, options?: { special?: boolean }): Promise<Uint32Array>;
  detokenize(tokens: Uint32Array): Promise<string>;
  count(input: string | readonly Message[]): Promise<number>;
  render(
    messages: readonly Message[],
    options?: { reasoning?: ReasoningOptions["mode"]; tools?: readonly Tool[] },
  ): Promise<string>;
  embed(input: string | readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  rank(query: string, documents: readonly string[], options?: { signal?: AbortSignal }): Promise<Float64Array>;
  close(): Promise<void>;
}
/** How a conversation starts; generation options here are the defaults of its prompts. */
export interface SessionOptions extends GenerateOptions {
  system?: string;
  history?: readonly Message[];
  context?: ContextOptions;
  keepReasoning?: KeepReasoning;
}
/** A conversation that owns a KV sequence and a pruned history; names follow the web's Prompt API. */
export interface Session extends EventTarget, AsyncDisposable {
  readonly messages: readonly Message[];
  readonly contextUsage: number;
  readonly contextWindow: number;
  prompt(input: string | readonly Message[], options?: GenerateOptions): Generation;
  append(input: readonly Message[], options?: { signal?: AbortSignal }): Promise<void>;
  measureContextUsage(input: string | readonly Message[]): Promise<number>;
  clone(options?: { signal?: AbortSignal }): Promise<Session>;
  /** KV cache and messages; restore checks the model's hash and refuses another model's state. */
  save(): Promise<Blob>;
  restore(state: Blob): Promise<void>;
  close(): Promise<void>;
}

/** What a model's header tells, without its weights. Sizes are bytes, contexts tokens. */
export interface ModelSummary {
  name: string;
  architecture: string;
  sizeBytes: number;
  /** Number of weights, summed over the tensors. */
  parameters: number;
  tensors: number;
  /** Name of the file type, such as "Q4_K_M"; "unknown" where the file does not say. */
  quantization: string;
  contextTrained: number;
  vocabularySize: number;
  /** The family whose rules are applied, and whether its template or name makes it think. */
  family: string;
  thinks: boolean;
  sampling: SamplingOptions;
  memory: readonly { contextSize: number; bytes: number }[];
  metadata: ReadonlyMap<string, unknown>;
}
