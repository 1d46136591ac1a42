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

/** A place that keeps downloaded weights: disk, OPFS, Cache API, memory. One small port; not used in this version. */
export interface ModelStore {
  /** What is kept under a key; null if there is nothing. */
  open(key: string): Promise<Blob | null>;
  /** Takes the bytes of a key; `at` > 0 resumes an interrupted download at that byte. */
  create(key: string, at: number): Promise<WritableStream<Uint8Array>>;
  /** Forgets what is kept under a key. */
  delete(key: string): Promise<void>;
  /** Every key that something is kept under, in no order. */
  keys(): AsyncIterable<string>;
}

/** How a model is fetched, checked and run. Everything has a default that fits the host. */
export interface LoadOptions {
  /** Stops the loading, which rejects with `signal.reason` and leaves nothing behind. */
  signal?: AbortSignal;
  /**
   * Told of bytes: "fetch" counts over all files, `file` being the one that comes in; "load" what the engine has read.
   * `total` is absent while a server has not told. "verify" never comes in this version.
   */
  onprogress?: (event: { phase: "fetch" | "verify" | "load"; loaded: number; total?: number; file?: string }) => void;
  /** Where downloads are kept beyond the model's life. All but `false` is `unsupported` in this version. */
  store?: ModelStore | "auto" | false;
  /** Subresource-Integrity string, or one per shard name. `unsupported` in this version. */
  integrity?: string | Readonly<Record<string, string>>;
  /** For the model's files, in place of the global one; not for the engine's. */
  fetch?: typeof globalThis.fetch;
  /** "auto" (default): wllama, the one engine of this version. "llama" is `unsupported`, a factory a `TypeError`. */
  engine?: "auto" | "llama" | "wllama" | EngineFactory;
  /** "auto" (default) and "cpu" compute on the processor; "webgpu" is `unsupported` in this version. */
  device?: "auto" | "cpu" | "webgpu";
  /**
   * 1 to 256. "auto" (default): by the size of the weights, one below 32 MiB, half of the cores below 512 MiB, all of
   * them above, and never more than 8. One in any case where the host shares no memory between threads.
   */
  threads?: number | "auto";
  /** "auto" (default) and "fixed": 128-bit SIMD; "relaxed" is `unsupported` in this version. */
  simd?: "auto" | "relaxed" | "fixed";
  /** "auto" (default): 64-bit where the host has it, else 32-bit. The others are `unsupported` in this version. */
  memory?: "auto" | "wasm32" | "wasm64";
  /** The engine's file and worker, in place of the package's own; this version takes `url` and `worker` only. */
  wasm?: { url?: string | URL; integrity?: string; module?: WebAssembly.Module; worker?: () => Worker };
  /** For all requests to the model; a session may have its own. */
  context?: ContextOptions;
}
/** What this host can do, and for each thing that it cannot, why, in a sentence that says how to get it. */
export interface Capabilities {
  /** "workerd": Cloudflare Workers; "browser": pages and their workers; "unknown": none of them. */
  runtime: "node" | "deno" | "bun" | "browser" | "workerd" | "unknown";
  /** How many may run at once, at least 1: the cores, where threads can share memory. */
  threads: number;
  /** The best that this host's WebAssembly has; the engine of this version uses "fixed". */
  simd: "none" | "fixed" | "relaxed";
  /** Whether memories and tables of WebAssembly may have 64-bit addresses. */
  memory64: boolean;
  /** Bytes that a model may take with everything around it: 4 GiB, the limit of the engine of this version. */
  maxMemory: number;
  /** Whether the host offers an adapter; the engine of this version does not use it. */
  webgpu: boolean;
  /** In a page, whether its headers isolate it, which threads need; elsewhere, whether `SharedArrayBuffer` exists. */
  crossOriginIsolated: boolean;
  /** A sentence for each thing that is missing. */
  why: readonly string[];
}
/** An engine that the caller brings, as `LoadOptions.engine`; not taken yet in this version. */
export type EngineFactory = { readonly kind: string };

// ---------------------------------------------------------------- context
/** The window that a model or a session works in, and what happens when a conversation outgrows it. */
export interface ContextOptions {
  /** Tokens of prompt and reply, at least 1. "auto" (default): what the model, the request and the memory allow. */
  size?: number | "auto";
  /** How the KV cache is kept: "f16" (default), "q8_0" in 53 % of its bytes, or "q4_0" in 28 %. */
  kvType?: "f16" | "q8_0" | "q4_0";
  /**
   * "auto" (default): plain RoPE while it fits, YaRN with the smallest sufficient factor (at most 4) when it does not.
   * "off": never YaRN. By hand: `factor`, 1 (off) to 4 or "auto" (default); `originalContext`, the trained length
   * if the file errs; inputs longer than `above` tokens get YaRN, with a `factor` by number even if they fit without.
   */
  extend?:
    | "off"
    | "auto"
    | { type: "yarn"; factor?: number | "auto"; originalContext?: number; above?: number }
    | RopeScaling;
  /**
   * What happens to a conversation that does not fit. "error" (default): `context-full`. "drop-oldest" drops as few of
   * the oldest turns as it takes, "shift" drops until half of the window is free; system messages and the last turn
   * stay. A function returns the messages to send instead; it is asked again while they do not fit, 6 times in all.
   */
  overflow?: "error" | "shift" | "drop-oldest" | ((event: OverflowEvent) => Promise<readonly Message[]>);
}
/** What an `overflow` function is told. */
export interface OverflowEvent {
  /** What was to be sent, the newest last. */
  messages: readonly Message[];
  /** Tokens of the prompt made of them, and of the reply: `maxTokens` if the request says it, else 1. */
  needed: number;
  /** Tokens that the context holds at most. */
  window: number;
  /** Aborts when the run is aborted or left. */
  signal?: AbortSignal;
}

// ---------------------------------------------------------------- generation
/** A tool that the model may call. Its calls are yours to answer, by a message of role "tool". */
export interface Tool<A = unknown> extends ToolDefinition {
  /** Not called in this version. */
  execute?: (args: A, options: { signal: AbortSignal }) => unknown | Promise<unknown>;
}
/** How one run samples, thinks, and stops. What is not given is what the model recommends. */
export interface GenerateOptions extends SamplingOptions {
  /** Stops the run, which rejects with `signal.reason`; the model stays usable. */
  signal?: AbortSignal;
  /** Texts that end the reply and are not part of it, while it thinks, too. Not empty. */
  stop?: string | readonly string[];
  /** What is added to the scores of tokens, by their ids; -Infinity: never that token. */
  logitBias?: ReadonlyMap<number, number>;
  /** Reports how likely each token was, and so many alternatives, 0 to 100; default: nothing. */
  logprobs?: number;
  /** How to think, or only the mode. */
  reasoning?: ReasoningOptions | ReasoningOptions["mode"];
  /** Binds the answer, not the thoughts. JSON without a schema: any object. */
  format?: { type: "json"; schema?: object } | { type: "gbnf"; grammar: string };
  /** Told to the model, if its template knows tools. Calls are read as GLM-Z1 and Hermes write them. */
  tools?: readonly Tool[];
  /** "auto" (default); "none" tells the model of no tools. The others are `unsupported` in this version. */
  toolChoice?: "auto" | "none" | "required" | { name: string };
}
/**
 * One run of the model. It starts when first consumed: iterate it for parts, or ask for `result()`; both together share
 * one run, and a second iteration is an error. Leaving early by break, throw or abort stops the engine. Not a thenable,
 * so that an async function can return it.
 */
export interface Generation extends AsyncIterable<Part>, AsyncDisposable {
  /**
   * The whole run; starts it if nobody iterates.
   *
   * @throws {TypeError | RangeError} if messages or options are not of their kind; some options are refused before that
   * @throws {InferenceError} `context-full`, `template`, `grammar`, `memory`, `unsupported`, `closed`, `crashed`
   * @throws `signal.reason` if aborted; an `AbortError` if it was left before it started
   */
  result(): Promise<Result>;
  /** The text alone, piece by piece. Takes the one iteration. */
  readonly text: AsyncIterable<string>;
  /** The thoughts alone, piece by piece, without their tags. Takes the one iteration. */
  readonly reasoning: AsyncIterable<string>;
  /** The parts as a web stream; cancelling it leaves the run. Reading this property takes the one iteration. */
  readonly stream: ReadableStream<Part>;
  /** Closes the thinking block as soon as possible, and every later one; the model goes on to its answer. */
  endReasoning(): void;
  /**
   * Server-sent events in OpenAI's chat-completion chunk shape, thoughts in `reasoning_content`; an error comes as the
   * last one, `{ error: { message, code } }`. Takes the one iteration.
   */
  toResponse(init?: ResponseInit): Response;
}
/** A loaded model. Overlapping calls wait for each other, in the order they came; once closed they throw `closed`. */
export interface Model extends AsyncDisposable {
  /**
   * What was loaded, as in a {@link ModelSummary}, and how it runs: `threads` in use, `memory` "wasm64" or "wasm32".
   * In this version `engine` is "wllama" and `simd` "fixed". `why`: for each thing that was wanted and not had, a sentence.
   */
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
    why: readonly string[];
    metadata: ReadonlyMap<string, unknown>;
  };
  /**
   * Raw completion: no template. Control tokens in a string are read as such; ids of other tokens are `unsupported` in
   * this version. `reasoning.mode` "force" opens a thinking block at the end of the prompt, "off" closes an open one.
   */
  generate(prompt: string | Uint32Array, options?: GenerateOptions): Generation;
  /** One stateless chat turn through the model's template; `keepReasoning` is "none" by default. */
  chat(messages: readonly Message[], options?: GenerateOptions & { keepReasoning?: KeepReasoning }): Generation;
  /** Starts a conversation. All share one KV cache: a switch evaluates anew all but what both begin with. */
  session(options?: SessionOptions): Promise<Session>;
  /** Token ids of a text. `unsupported` in this version. */
  tokenize(text: string, options?: { special?: boolean }): Promise<Uint32Array>;
  /** The text of token ids. `unsupported` in this version. */
  detokenize(tokens: Uint32Array): Promise<string>;
  /** Tokens of a text, or of the prompt that `chat()` would make of messages. The engine evaluates them to know. */
  count(input: string | readonly Message[]): Promise<number>;
  /**
   * The prompt that the model's template makes of messages; `reasoning` is a mode, default "auto".
   *
   * @throws {InferenceError} `template` if there is none, or it fails
   */
  render(
    messages: readonly Message[],
    options?: { reasoning?: ReasoningOptions["mode"]; tools?: readonly Tool[]; keepReasoning?: KeepReasoning },
  ): Promise<string>;
  /** One vector a text. `unsupported` in this version. */
  embed(input: string | readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  /** How well each document answers the query. `unsupported` in this version. */
  rank(query: string, documents: readonly string[], options?: { signal?: AbortSignal }): Promise<Float64Array>;
  /** Ends the engine and lets the files go; what still runs rejects with `closed`. Idempotent. */
  close(): Promise<void>;
}
/** How a conversation starts; generation options here are the defaults of its prompts. */
export interface SessionOptions extends GenerateOptions {
  /** Becomes the first message. */
  system?: string;
  /** What was said before, after `system`. */
  history?: readonly Message[];
  /** In place of the model's own options, one by one. */
  context?: ContextOptions;
  /** Whose thoughts stay in the history; default "none". */
  keepReasoning?: KeepReasoning;
}
/**
 * A conversation with a pruned history; names follow the web's Prompt API. Each turn evaluates only what is new, unless
 * others used the model in between. Dispatches `contextoverflow` when the history was cut to fit.
 */
export interface Session extends EventTarget, AsyncDisposable {
  /** A copy of the history, system message included; empty once closed. */
  readonly messages: readonly Message[];
  /** Tokens after the last turn or `append()`, thoughts included; 0 before the first. */
  readonly contextUsage: number;
  /** Tokens that prompt and reply may have together, once the context has grown as far as it can. */
  readonly contextWindow: number;
  /**
   * One turn; a string is a message of the user. It joins the history when it has come to its end: a turn that failed,
   * was aborted or left can be asked again. Turns that overlap run in the order in which they were consumed.
   */
  prompt(input: string | readonly Message[], options?: GenerateOptions): Generation;
  /** Adds messages that want no reply, and evaluates them, so that the next turn need not. */
  append(input: readonly Message[], options?: { signal?: AbortSignal }): Promise<void>;
  /** Tokens of the prompt that the history and `input` make together; the engine evaluates them to know. */
  measureContextUsage(input: string | readonly Message[]): Promise<number>;
  /** Another session with the same options and a copy of the history, but no listeners. */
  clone(options?: { signal?: AbortSignal }): Promise<Session>;
  /** KV cache and messages. `unsupported` in this version: keep `messages`. */
  save(): Promise<Blob>;
  /** Takes up what `save()` gave, if it is of the same model. `unsupported` in this version. */
  restore(state: Blob): Promise<void>;
  /** Forgets the history; later calls throw `closed`. The model stays loaded. */
  close(): Promise<void>;
}

/** What a model's header tells, without its weights. Sizes are bytes, contexts tokens. */
export interface ModelSummary {
  /** As the file says, else its file name without `.gguf` and shard number. */
  name: string;
  /** What llama.cpp calls the kind of model, such as "glm4". */
  architecture: string;
  /** Of all files. */
  sizeBytes: number;
  /** Number of weights, summed over the tensors. */
  parameters: number;
  /** How many, over all files. */
  tensors: number;
  /** Name of the file type, such as "Q4_K_M"; "unknown" where the file does not say. */
  quantization: string;
  /** Tokens that the model was trained to read at once, as the file says. */
  contextTrained: number;
  /** Tokens in the vocabulary. */
  vocabularySize: number;
  /** Whose rules are applied: "glm-z1", "glm-z1-rumination", "glm-4-0414", "think-tags" or "generic". */
  family: string;
  /** Whether its template or its name says that it thinks before it answers. */
  thinks: boolean;
  /** What the model's maker recommends; empty where nothing is known. */
  sampling: SamplingOptions;
  /** Estimates with an f16 KV cache: at 8,192 tokens, or the trained context if that is shorter, and at the latter. */
  memory: readonly { contextSize: number; bytes: number }[];
  /** What the GGUF holds, by its own keys; integers that a number cannot hold are bigints. */
  metadata: ReadonlyMap<string, unknown>;
}
