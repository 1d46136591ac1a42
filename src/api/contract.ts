// The public types that name the host: signals, streams. Those of loading are in load-contract.ts, the plain-data ones in
// ../contract.ts.
import type {
  KeepReasoning,
  Message,
  Part,
  ReasoningOptions,
  Result,
  SamplingOptions,
  ToolDefinition,
} from "../contract.ts";
import type { ContextOptions } from "./load-contract.ts";

export type {
  Capabilities,
  ContextOptions,
  EngineFactory,
  LoadOptions,
  ModelSource,
  ModelStore,
  OverflowEvent,
  StoreLock,
} from "./load-contract.ts";

/**
 * A tool that the model may call. With `execute` the SDK runs it, and the model goes on from the result; without, its calls
 * are yours to answer, by messages of role "tool".
 */
export interface Tool<A = unknown> extends ToolDefinition {
  /**
   * Runs a call whose arguments fit `parameters`; calls of one turn run side by side. What it gives is told to the model: a
   * string as it is, anything else as JSON. What it throws is told to the model, too, and so are arguments that do not fit
   * and calls that can't be read. `signal` aborts with the run. A tool must not prompt the session that runs it.
   */
  execute?(args: A, options: { signal: AbortSignal }): unknown;
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
  format?:
    | {
        /** The answer is JSON. */
        type: "json";
        /** A JSON schema; the model is not told of it, so name the fields in the prompt. */
        schema?: object;
      }
    | {
        /** The answer follows a grammar. */
        type: "gbnf";
        /** In llama.cpp's GBNF; not blank. */
        grammar: string;
      };
  /** Told to the model, if its template knows tools. Calls are read as GLM-Z1, its Rumination and Hermes write them. */
  tools?: readonly Tool[];
  /**
   * "auto" (default); "none" tells the model of no tools. "required" and a name bind the answer, not the thoughts, to one
   * call, of any tool or of that one; when tools are run, the first turn alone.
   */
  toolChoice?:
    | "auto"
    | "none"
    | "required"
    | {
        /** That of one of `tools`. */
        name: string;
      };
  /**
   * Turns of the model at most while tools are run, 1 to 1,000; default 10; 1: none is run. Other bounds are for each turn.
   * `generate()` runs no tools.
   */
  maxSteps?: number;
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
  /** What was loaded, as in a {@link ModelSummary}, and how it runs. */
  readonly info: {
    /** What llama.cpp calls the kind of model, such as "glm4". */
    architecture: string;
    /** As the file says; absent where it does not. */
    name?: string;
    /** Tokens that the model was trained to read at once. */
    contextTrained: number;
    /** Tokens in the vocabulary. */
    vocabularySize: number;
    /** Of all files. */
    sizeBytes: number;
    /** "llama", "wllama" or "remote". */
    engine: string;
    /** In use, at least 1. */
    threads: number;
    /** "relaxed" or "fixed"; "none" with a remote engine. */
    simd: string;
    /** "wasm64" or "wasm32"; "remote" with a remote engine. */
    memory: string;
    /** For each thing that was wanted and not had, a sentence. */
    why: readonly string[];
    /** What the GGUF holds, by its own keys. */
    metadata: ReadonlyMap<string, unknown>;
  };
  /**
   * Raw completion: no template. Control tokens in a string are read as such; wllama takes ids of control tokens alone.
   * `reasoning.mode` "force" opens a thinking block at the end of the prompt, "off" closes an open one.
   */
  generate(prompt: string | Uint32Array, options?: GenerateOptions): Generation;
  /** One stateless chat turn through the model's template; `keepReasoning` is "none" by default. */
  chat(messages: readonly Message[], options?: GenerateOptions & { keepReasoning?: KeepReasoning }): Generation;
  /** Starts a conversation. All share one KV cache: a switch evaluates anew all but what both begin with. */
  session(options?: SessionOptions): Promise<Session>;
  /**
   * Token ids of a text, with nothing put before or after it; `special` (default false): control tokens are found in it.
   *
   * @throws {InferenceError} `unsupported` with wllama; `closed`, `crashed`
   */
  tokenize(text: string, options?: { special?: boolean }): Promise<Uint32Array>;
  /**
   * The text of token ids, control tokens included.
   *
   * @throws {RangeError} if an id is not in the vocabulary
   * @throws {InferenceError} `unsupported` with wllama; `closed`, `crashed`
   */
  detokenize(tokens: Uint32Array): Promise<string>;
  /** Tokens of a text, or of the prompt that `chat()` would make of messages; wllama evaluates them to know. */
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
  /**
   * One vector of unit length for each text, pooled as the model's file says, else by the mean of its tokens.
   *
   * @throws {InferenceError} `context-full` if a text is longer than the trained context; `unsupported` with wllama and for
   *   models that rank; `closed`, `crashed`
   */
  embed(input: string | readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  /**
   * How well each document answers the query: the model's own scores, higher is better.
   *
   * @throws {InferenceError} `unsupported` if the model is not one that ranks; `closed`, `crashed`
   */
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
  /** Tokens of the prompt that the history and `input` make together; wllama evaluates them to know. */
  measureContextUsage(input: string | readonly Message[]): Promise<number>;
  /** Another session with the same options and a copy of the history, but no listeners. */
  clone(options?: { signal?: AbortSignal }): Promise<Session>;
  /** KV cache and messages, about as large as the cache. `unsupported` with wllama: keep `messages`. */
  save(): Promise<Blob>;
  /**
   * Takes up what `save()` gave.
   *
   * @throws {TypeError} if it is no Blob
   * @throws {InferenceError} `format` if it is of another model or context; `unsupported` with wllama
   */
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
  memory: readonly {
    /** Tokens. */
    contextSize: number;
    /** Weights, KV cache and scratch space together. */
    bytes: number;
  }[];
  /** What the GGUF holds, by its own keys; integers that a number cannot hold are bigints. */
  metadata: ReadonlyMap<string, unknown>;
}
