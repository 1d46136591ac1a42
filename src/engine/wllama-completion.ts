import { InferenceError } from "../errors.ts";
import { contextFull } from "./context-full.ts";
import type { CompleteOptions, EngineEvent, TokenLogprobEvent } from "./engine.ts";
import type { RefusedCompletion } from "./wllama-module.ts";

/** What llama.cpp's server code sends for each step of a completion, as far as it is used. */
interface Chunk {
  readonly choices?: readonly {
    readonly text?: string;
    readonly finish_reason?: string | null;
    readonly logprobs?: { readonly content?: readonly ChunkLogprob[] } | null;
  }[];
  readonly timings?: {
    readonly cache_n: number;
    readonly prompt_n: number;
    readonly prompt_ms: number;
    readonly predicted_n: number;
    readonly predicted_ms: number;
  };
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  };
  readonly prompt_progress?: { readonly total: number; readonly cache: number; readonly processed: number };
}
interface ChunkLogprob {
  readonly id: number;
  readonly token: string;
  readonly logprob: number;
  readonly top_logprobs?: readonly ChunkLogprob[];
}

/** The body of a completion, in llama.cpp's own names. */
export function completionBody(prompt: string, options: CompleteOptions): Record<string, unknown> {
  const { sampling, format, logitBias } = options;
  return {
    prompt,
    n_predict: options.maxTokens,
    // There is one slot; named, it is used as it stands instead of copying KV caches to and fro.
    id_slot: 0,
    cache_prompt: true,
    return_progress: true,
    timings_per_token: true,
    temperature: sampling.temperature,
    top_k: sampling.topK,
    top_p: sampling.topP,
    min_p: sampling.minP,
    repeat_penalty: sampling.repeatPenalty,
    ...(sampling.seed === undefined ? {} : { seed: sampling.seed }),
    ...(options.stop.length > 0 ? { stop: options.stop.map((text) => text.toWellFormed()) } : {}),
    ...(logitBias && logitBias.size > 0 ? { logit_bias: [...logitBias].map(bias) } : {}),
    ...(options.logprobs === undefined ? {} : { n_probs: Math.max(1, options.logprobs) }),
    // A token is sampled even then, and bytes that are no UTF-8 would fail the whole completion.
    ...(options.maxTokens === 0 ? { grammar: 'root ::= "0"' } : {}),
    ...(format?.type === "gbnf" ? { grammar: format.grammar.toWellFormed() } : {}),
    ...(format?.type === "json" ? { json_schema: format.schema ?? {} } : {}),
  };
}

function bias([id, value]: [number, number]): [number, number | false] {
  // JSON has no infinity; the server takes false for "never".
  return [id, value === Number.NEGATIVE_INFINITY ? false : value];
}

/** Turns the chunks of one completion into events, and sees to it that the context's own end is kept. */
export class CompletionReader {
  readonly #window: number;
  readonly #maxTokens: number;
  readonly #logprobs: number | undefined;
  #total = 0;
  #sampled = 0;
  #last: Chunk = {};
  #full: InferenceError | undefined;
  #atEnd = false;

  /** @param window Tokens of the context, which the module may have rounded up. */
  constructor(window: number, options: CompleteOptions) {
    this.#window = window;
    this.#maxTokens = options.maxTokens;
    this.#logprobs = options.logprobs;
  }

  /** Whether there is nothing more to read: the module is to be stopped. */
  get finished(): boolean {
    return this.#atEnd || this.#full !== undefined;
  }

  *read(value: unknown): Generator<EngineEvent, void> {
    // Text that the module itself writes: its shape is llama.cpp's, and pinned with the package's version.
    const chunk = value as Chunk;
    if (this.finished) return;
    this.#last = { ...this.#last, ...chunk };
    const { prompt_progress: progress, choices: [choice] = [] } = chunk;
    if (progress) {
      this.#total = progress.total;
      if (progress.total >= this.#window) {
        this.#full = contextFull(progress.total, this.#window);
        return;
      }
      yield { type: "prefill", done: progress.processed, total: progress.total, cached: progress.cache };
      return;
    }
    if (this.#maxTokens === 0) return;
    yield* this.#piece(choice?.text ?? "", chunk);
    const atEnd = this.#total + this.#sampled >= this.#window;
    if (atEnd && choice?.finish_reason == null) this.#atEnd = true;
  }

  /** @throws {InferenceError} `context-full` */
  *end(): Generator<EngineEvent, void> {
    if (this.#full) throw this.#full;
    const { usage, timings, choices: [choice] = [] } = this.#last;
    const prompt = usage?.prompt_tokens ?? this.#total;
    const cached = usage?.prompt_tokens_details?.cached_tokens ?? timings?.cache_n ?? 0;
    const all = usage?.completion_tokens ?? timings?.predicted_n ?? this.#sampled;
    const completion = this.#maxTokens === 0 ? 0 : Math.max(all, this.#sampled);
    // The token that ended it has no text, and may have come with none.
    if (completion > this.#sampled) yield { type: "piece", text: "", tokens: completion - this.#sampled };
    yield {
      type: "end",
      reason: !this.#atEnd && this.#maxTokens > 0 && choice?.finish_reason === "stop" ? "stop" : "length",
      usage: { prompt, cached, completion },
      timings: { prefillMs: timings?.prompt_ms ?? 0, decodeMs: timings?.predicted_ms ?? 0 },
    };
  }

  *#piece(text: string, chunk: Chunk): Generator<EngineEvent, void> {
    const sampled = chunk.timings?.predicted_n ?? this.#sampled;
    const tokens = Math.max(0, sampled - this.#sampled);
    if (tokens === 0 && text === "") return;
    this.#sampled += tokens;
    const content = chunk.choices?.[0]?.logprobs?.content;
    yield {
      type: "piece",
      text,
      tokens,
      ...(this.#logprobs !== undefined && content ? { logprobs: content.map((entry) => this.#logprob(entry)) } : {}),
    };
  }

  #logprob({ id, token, logprob, top_logprobs: top = [] }: ChunkLogprob): TokenLogprobEvent {
    const wanted = top.slice(0, this.#logprobs);
    return {
      id,
      text: token,
      logprob,
      ...(wanted.length > 0
        ? { top: wanted.map((entry) => ({ id: entry.id, text: entry.token, logprob: entry.logprob })) }
        : {}),
    };
  }
}

/** Why the module would not run a completion, in our terms. */
export function refusal(error: RefusedCompletion, window: number, options: CompleteOptions): InferenceError {
  const { answer, message } = error;
  const needed = answer?.["n_prompt_tokens"];
  if (answer?.["type"] === "exceed_context_size_error" && typeof needed === "number") {
    return contextFull(needed, window);
  }
  if (options.format) {
    const kind = options.format.type === "json" ? "JSON schema" : "grammar";
    return new InferenceError("grammar", `Cannot follow the ${kind}: llama.cpp refused it (${message})`, {
      cause: error,
    });
  }
  return new InferenceError("unsupported", `Cannot run this completion: llama.cpp refused it (${message})`, {
    cause: error,
  });
}
