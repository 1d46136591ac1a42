// One completion of our own engine: prefill in steps that a stop can get between, then token after token.
import { InferenceError } from "../errors.ts";
import type { NativeSampler } from "../wasm/context.ts";
import { contextFull } from "./context-full.ts";
import type { CompleteOptions, EngineEvent, TokenLogprobEvent } from "./engine.ts";
import { createSampler } from "./llama-sampling.ts";
import { leastStep, type LlamaSequence } from "./llama-sequence.ts";
import { StopTexts } from "./stop-texts.ts";
import { TurnTaker } from "./turn.ts";
import type { PromptUnit } from "./prompt-tokens.ts";

/** How much longer a step may be than the one before, which may have been an odd one. */
const growth = 4;
/** How long a step of a prefill is to take, in milliseconds. */
const stepMs = 500;

export interface CompletionRequest {
  readonly sequence: LlamaSequence;
  readonly units: readonly PromptUnit[];
  readonly options: CompleteOptions;
  /** Tokens of the context. */
  readonly window: number;
  readonly ends: (token: number) => boolean;
}

/** @throws {InferenceError} `context-full`, `grammar`, `crashed` */
export async function* runCompletion(request: CompletionRequest): AsyncGenerator<EngineEvent, void> {
  const { sequence, units, options, window } = request;
  const tokens = units.flatMap((unit) => unit.tokens);
  if (tokens.length >= window) throw contextFull(tokens.length, window);
  if (tokens.length === 0)
    throw new InferenceError("unsupported", "Cannot complete an empty prompt; at least one token is wanted");
  // Even a completion of no tokens finds out whether its grammar is one.
  const sampler = createSampler(sequence.model, options, tokens);
  try {
    const startedAt = performance.now();
    const cached = sequence.rewindTo(units, tokens);
    yield* prefill(request, { tokens, cached });
    const prefillMs = performance.now() - startedAt;
    const decodingSince = performance.now();
    const { reason, completion } = yield* decode(request, { sampler, prompt: tokens.length });
    yield {
      type: "end",
      reason,
      usage: { prompt: tokens.length, cached, completion },
      timings: { prefillMs, decodeMs: performance.now() - decodingSince },
    };
  } finally {
    sampler.free();
  }
}

async function* prefill(
  { sequence, options: { signal } }: CompletionRequest,
  { tokens, cached }: { tokens: readonly number[]; cached: number },
): AsyncGenerator<EngineEvent, void> {
  const turns = new TurnTaker();
  const total = tokens.length;
  let done = cached;
  // How fast this machine is was seen in earlier prompts.
  let step = stepFor(sequence, Infinity);
  yield { type: "prefill", done, total, cached };
  while (done < total) {
    await turns.now();
    signal?.throwIfAborted();
    const next = Math.min(done + step, total);
    const whole = sequence.evaluate(tokens.slice(done, next));
    if (!whole) {
      // Cancelled from outside; the message that says so is on its way.
      await turns.now();
      signal?.throwIfAborted();
      continue;
    }
    step = stepFor(sequence, growth * step);
    done = next;
    yield { type: "prefill", done, total, cached };
  }
}

/** Tokens of the next step, `most` at most. */
function stepFor({ speed, batch }: LlamaSequence, most: number): number {
  if (speed === undefined) return leastStep;
  return Math.max(leastStep, Math.min(most, Math.round(speed * stepMs), batch));
}

async function* decode(
  request: CompletionRequest,
  { sampler, prompt }: { sampler: NativeSampler; prompt: number },
): AsyncGenerator<EngineEvent, { reason: "stop" | "length"; completion: number }> {
  const { sequence, options, window } = request;
  const { maxTokens, signal } = options;
  const stops = new StopTexts(options.stop);
  const decoder = new TextDecoder();
  const turns = new TurnTaker();
  const end = function* (text: string, tokens: number): Generator<EngineEvent> {
    if (text !== "" || tokens > 0) yield { type: "piece", text, tokens };
  };
  let completion = 0;
  while (completion < maxTokens) {
    await turns.maybe();
    signal?.throwIfAborted();
    const token = sequence.sample(sampler);
    completion += 1;
    if (request.ends(token)) {
      yield* end(stops.end() + decoder.decode(), 1);
      return { reason: "stop", completion };
    }
    const bytes = sequence.model.detokenize([token], false);
    const text = decoder.decode(bytes, { stream: true });
    const shown = stops.push(text);
    const logprobs = options.logprobs === undefined ? undefined : [logprobOf(sequence, token, options.logprobs)];
    sequence.said(token, text);
    yield { type: "piece", text: shown.text, tokens: 1, ...(logprobs ? { logprobs } : {}) };
    if (shown.stopped) return { reason: "stop", completion };
    if (prompt + completion >= window) break;
    // The last token is evaluated when something follows it.
    if (completion < maxTokens) while (!sequence.evaluate([token])) signal?.throwIfAborted();
  }
  yield* end(stops.end() + decoder.decode(), 0);
  return { reason: "length", completion };
}

function logprobOf(sequence: LlamaSequence, token: number, count: number): TokenLogprobEvent {
  const [own, ...top] = sequence.logprobs(token, count).map(({ id, logprob }) => ({
    id,
    text: new TextDecoder().decode(sequence.model.detokenize([id], true)),
    logprob,
  }));
  if (!own) throw new InferenceError("crashed", "Cannot read a probability: the engine gave none");
  return top.length > 0 ? { ...own, top } : own;
}
