import type { Part, Result, TokenLogprob } from "../contract.ts";
import type { CompleteOptions, Engine, EngineEvent } from "../engine/engine.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import type { Step, ThinkingBudget } from "../reasoning/index.ts";
import type { Counted } from "./count-prompt.ts";
import type { RunControl } from "./one-run.ts";

export interface RoundsRequest {
  readonly prompt: readonly PromptSegment[];
  /** Where the prompt was evaluated already, and that was told. */
  readonly counted: Counted | undefined;
  readonly budget: ThinkingBudget;
  /** For every round; `maxTokens` counts over all of them, and `format` binds no thoughts. */
  readonly options: CompleteOptions;
}

/** What the rounds add up to. */
export interface RoundsSummary {
  readonly finishReason: "stop" | "length";
  readonly reasoningEnd: Result["reasoningEnd"];
  readonly usage: Result["usage"];
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Of the first token, on the clock of `performance.now()`; undefined if there was none. */
  readonly firstTokenAt: number | undefined;
}

type RoundPart = Extract<Part, { type: "prefill" | "reasoning" | "text" }>;

/**
 * Runs the engine in as many rounds as the thinking budget asks for: a round that is to be closed is stopped, and another
 * begins on the prompt and what came so far, which evaluates only the new tokens.
 */
export class Rounds {
  readonly #engine: Engine;
  readonly #request: RoundsRequest;
  /** Of the first round: later ones hold what was said so far. */
  #prompt: { prompt: number; cached: number } | undefined;
  #prefillMs: number | undefined;
  #decodeMs = 0;
  #firstTokenAt: number | undefined;
  /** Logarithms of probability whose text the splitter holds back. */
  #logprobs: TokenLogprob[] = [];

  constructor(engine: Engine, request: RoundsRequest) {
    this.#engine = engine;
    this.#request = request;
  }

  async *run(control: RunControl): AsyncGenerator<RoundPart, RoundsSummary> {
    const { budget } = this.#request;
    for (;;) {
      if (control.answerNow.aborted) budget.endReasoning();
      yield* budget.begin();
      // A round of no tokens still says how long the prompt is.
      const isOver = this.#prompt !== undefined && this.#left <= 0;
      const end = isOver ? "length" : yield* this.#round(control);
      if (end === "restart") continue;
      yield* budget.end();
      return this.#summary(end);
    }
  }

  /** What there is when a run is left half-way. */
  partial(): RoundsSummary {
    return this.#summary("stop");
  }

  get #left(): number {
    const { reasoning, text } = this.#request.budget.usage;
    return this.#request.options.maxTokens - reasoning - text;
  }

  async *#round(control: RunControl): AsyncGenerator<RoundPart, "stop" | "length" | "restart"> {
    const { prompt, budget, counted } = this.#request;
    const { format, ...unbound } = this.#request.options;
    const options = format && !budget.isThinking ? { ...unbound, format } : unbound;
    const isTold = this.#prompt !== undefined || counted !== undefined;
    const maxTokens = Math.max(0, this.#left);
    const startedAt = performance.now();
    let decodingSince: number | undefined;
    let end: "stop" | "length" = "stop";
    try {
      for await (const event of this.#engine.complete([...prompt, ...budget.soFar], { ...options, maxTokens })) {
        if (control.answerNow.aborted) budget.endReasoning();
        if (event.type === "prefill") {
          if (!isTold) yield event;
          this.#prompt ??= { prompt: event.total, cached: event.cached };
          if (budget.isSpent) return "restart";
        } else if (event.type === "piece") {
          decodingSince ??= performance.now();
          if (event.tokens > 0) this.#firstTokenAt ??= decodingSince;
          const step = budget.push(event);
          yield* this.#withLogprobs(step, event);
          if (step.restart) return "restart";
        } else {
          this.#prefillMs ??= event.timings.prefillMs;
          this.#prompt ??= { prompt: event.usage.prompt, cached: event.usage.cached };
          this.#decodeMs += event.timings.decodeMs;
          decodingSince = undefined;
          end = event.reason;
        }
      }
    } finally {
      // A round that was stopped does not say how long it took.
      if (decodingSince !== undefined) {
        this.#prefillMs ??= decodingSince - startedAt;
        this.#decodeMs += performance.now() - decodingSince;
      }
    }
    return end;
  }

  /** Each token's probability goes with the part that holds its text; those of tags go with none. */
  *#withLogprobs(step: Step, { text, logprobs = [] }: Extract<EngineEvent, { type: "piece" }>): Generator<RoundPart> {
    let waiting = step.passedTag ? [...logprobs] : [...this.#logprobs, ...logprobs];
    for (const part of step.parts) {
      yield waiting.length > 0 ? { ...part, logprobs: waiting } : part;
      waiting = [];
    }
    // Of a character that takes several tokens, all but the last have no text yet.
    this.#logprobs = text === "" || step.isHolding ? waiting : [];
  }

  #summary(finishReason: "stop" | "length"): RoundsSummary {
    const { budget, counted } = this.#request;
    const { prompt, cached } = this.#prompt ?? { prompt: counted?.tokens ?? 0, cached: 0 };
    return {
      finishReason,
      reasoningEnd: budget.reasoningEnd,
      usage: { prompt, cached: counted?.cached ?? cached, ...budget.usage },
      prefillMs: (counted?.prefillMs ?? 0) + (this.#prefillMs ?? 0),
      decodeMs: this.#decodeMs,
      firstTokenAt: this.#firstTokenAt,
    };
  }
}
