import type { Part, ReasoningOptions, Result } from "../contract.ts";
import type { CompleteOptions, Engine } from "../engine/engine.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { createSplitter, type ReasoningTags } from "../reasoning/index.ts";
import type { RunControl } from "./generation.ts";

/** A model that insists on ending its thoughts is let go after this many nudges. */
const maxNudges = 8;
const defaultNudge = "Wait, ";

export interface RoundsRequest {
  readonly prompt: readonly PromptSegment[];
  /** Whether the prompt ends inside a thinking block. */
  readonly open: boolean;
  readonly tags: ReasoningTags;
  readonly reasoning: ReasoningOptions;
  /** For every round; `maxTokens` counts over all of them. */
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

type RoundEnd = "stop" | "length" | "budget" | "user" | "nudge";

/**
 * Runs the engine, thoughts split from text, in as many rounds as budgets take: a round that is to be closed is stopped,
 * and another begins on the prompt, what came so far, and the closing tag, which evaluates only the new tokens.
 */
export class Rounds {
  readonly #engine: Engine;
  readonly #request: RoundsRequest;
  readonly #soFar: PromptSegment[] = [];
  #raw = "";
  #splitter: ReturnType<typeof createSplitter>;
  #reasoningTokens = 0;
  #textTokens = 0;
  #thought: boolean;
  #nudges = 0;
  #forced: "budget" | "user" | undefined;
  // After a forced close: what may become a closing tag, and whether any text was shown.
  #held = "";
  #answered = false;
  #first: { prefillMs: number } | undefined;
  // Of the first round: later ones hold what was said so far.
  #prompt: { prompt: number; cached: number } | undefined;
  #decodeMs = 0;
  #firstTokenAt: number | undefined;

  constructor(engine: Engine, request: RoundsRequest) {
    this.#engine = engine;
    this.#request = request;
    this.#splitter = createSplitter({ tags: request.tags, open: request.open });
    this.#thought = request.open;
  }

  async *run(
    control: RunControl,
  ): AsyncGenerator<Extract<Part, { type: "prefill" | "reasoning" | "text" }>, RoundsSummary> {
    const { reasoning } = this.#request;
    if (this.#splitter.inside && reasoning.budget === 0) yield* this.#close("budget");
    for (;;) {
      const end = yield* this.#round(control);
      if (end === "budget" || end === "user") yield* this.#close(end);
      else if (end !== "nudge") {
        yield* this.#rest();
        return this.#summary(end);
      }
      if (this.#left() <= 0) {
        yield* this.#rest();
        return this.#summary("length");
      }
    }
  }

  #left(): number {
    return this.#request.options.maxTokens - this.#reasoningTokens - this.#textTokens;
  }

  async *#round(
    control: RunControl,
  ): AsyncGenerator<Extract<Part, { type: "prefill" | "reasoning" | "text" }>, RoundEnd> {
    const { prompt, reasoning, options } = this.#request;
    const budget = reasoning.budget ?? Infinity;
    const capped = this.#splitter.inside ? Math.min(this.#left(), budget - this.#reasoningTokens) : this.#left();
    const stream = this.#engine.complete([...prompt, ...this.#soFar], { ...options, maxTokens: capped });
    this.#raw = "";
    let sampled = 0;
    for await (const event of stream) {
      if (event.type === "prefill") {
        if (!this.#first) yield event;
        this.#prompt ??= { prompt: event.total, cached: event.cached };
      } else if (event.type === "piece") {
        sampled += event.tokens;
        if (event.tokens > 0) this.#firstTokenAt ??= performance.now();
        const wasInside = this.#splitter.inside;
        const closed = this.#splitter.closedBlocks;
        if (wasInside) this.#reasoningTokens += event.tokens;
        else this.#textTokens += event.tokens;
        this.#raw += event.text;
        const parts = this.#splitter.push(event.text);
        if (this.#splitter.inside) this.#thought = true;
        if (this.#splitter.closedBlocks > closed && this.#wantsMore()) {
          yield* this.#visible(parts.filter(({ type }) => type === "reasoning"));
          yield* this.#nudge();
          return "nudge";
        }
        yield* this.#visible(parts);
        if (this.#splitter.inside && control.endReasoning.aborted) return "user";
        if (this.#splitter.inside && this.#reasoningTokens >= budget) return "budget";
      } else {
        this.#first ??= { prefillMs: event.timings.prefillMs };
        this.#prompt ??= { prompt: event.usage.prompt, cached: event.usage.cached };
        this.#decodeMs += event.timings.decodeMs;
        // A context that ended early ends everything; a budget that ended the round does not.
        const spent = event.reason === "length" && sampled >= capped;
        if (spent && this.#splitter.inside && this.#reasoningTokens >= budget) return "budget";
        return event.reason;
      }
    }
    return "stop";
  }

  #wantsMore(): boolean {
    const { minimum = 0 } = this.#request.reasoning;
    return this.#reasoningTokens < minimum && this.#nudges < maxNudges;
  }

  /** Drops the closing tag and all after it, and thinks on from the nudge. */
  *#nudge(): Generator<Extract<Part, { type: "reasoning" }>> {
    const { tags, reasoning } = this.#request;
    this.#nudges += 1;
    const kept = this.#raw.slice(0, Math.max(0, this.#raw.lastIndexOf(tags.close))).trimEnd();
    const nudge = `\n${reasoning.nudge ?? defaultNudge}`;
    this.#soFar.push({ kind: "content", text: kept + nudge });
    this.#splitter = createSplitter({ tags, open: true });
    yield { type: "reasoning", text: nudge };
  }

  /** Closes the block for the model. */
  *#close(reason: "budget" | "user"): Generator<Extract<Part, { type: "reasoning" | "text" }>> {
    const { tags, reasoning } = this.#request;
    yield* this.#visible(this.#splitter.flush());
    const message = reasoning.onBudget?.message;
    if (this.#raw !== "") this.#soFar.push({ kind: "content", text: this.#raw.trimEnd() });
    if (message) {
      const text = this.#raw === "" ? message : `\n${message}`;
      this.#soFar.push({ kind: "content", text });
      yield { type: "reasoning", text };
    }
    const lineBreak = this.#raw === "" && !message ? "" : "\n";
    this.#soFar.push({ kind: "control", text: `${lineBreak}${tags.close}\n` });
    this.#raw = "";
    this.#forced = reason;
    this.#splitter = createSplitter({ tags });
  }

  *#visible(
    parts: readonly { type: "reasoning" | "text"; text: string }[],
  ): Generator<Extract<Part, { type: "reasoning" | "text" }>> {
    for (const { type, text } of parts) {
      const shown = type === "text" && this.#forced ? this.#withoutTag(text) : text;
      if (shown !== "") yield { type, text: shown };
    }
  }

  /** The end of all output: whatever was held back is text after all. */
  *#rest(): Generator<Extract<Part, { type: "reasoning" | "text" }>> {
    yield* this.#visible(this.#splitter.flush());
    if (this.#held !== "") yield { type: "text", text: this.#held };
    this.#held = "";
  }

  /** A model whose thoughts were cut short may still write the closing tag; it is none of the answer. */
  #withoutTag(text: string): string {
    const { close } = this.#request.tags;
    const whole = (this.#held + text).replaceAll(close, "");
    let keep = Math.min(close.length - 1, whole.length);
    while (keep > 0 && !close.startsWith(whole.slice(-keep))) keep--;
    this.#held = whole.slice(whole.length - keep);
    const shown = whole.slice(0, whole.length - keep);
    if (this.#answered) return shown;
    const begun = shown.trimStart();
    this.#answered = begun !== "";
    return begun;
  }

  #summary(finishReason: "stop" | "length"): RoundsSummary {
    const { prefillMs = 0 } = this.#first ?? {};
    const { prompt, cached } = this.#prompt ?? { prompt: 0, cached: 0 };
    const inside = this.#splitter.inside;
    return {
      finishReason,
      reasoningEnd: inside ? "cut" : (this.#forced ?? (this.#thought ? "model" : "none")),
      usage: { prompt, cached, text: this.#textTokens, reasoning: this.#reasoningTokens },
      prefillMs,
      decodeMs: this.#decodeMs,
      firstTokenAt: this.#firstTokenAt,
    };
  }

  /** What there is when a run is left half-way. */
  partial(): RoundsSummary {
    return this.#summary("stop");
  }
}
