import { readExtension } from "../context/rope-scaling.ts";
import type { Part, SamplingOptions } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import type { Engine } from "../engine/engine.ts";
import { abortable } from "../waiting.ts";
import type { PromptRenderer } from "../prompt/renderer.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { ThinkingBudget } from "../reasoning/index.ts";
import { chatPrompt, rawPrompt, tagsOf, type Prepared } from "./chat-prompt.ts";
import type { ContextOptions, GenerateOptions } from "./contract.ts";
import { ConversationCache } from "./conversation-cache.ts";
import { EngineTurns } from "./engine-turns.ts";
import { countPrompt, mostTokens, type Counted, type PrefillPart } from "./count-prompt.ts";
import { ContextWindow, usualReply, type EngineContext, type Room } from "./context-window.ts";
import type { ChatRequest } from "./chat-request.ts";
import type { RunControl } from "./one-run.ts";
import { checkSupported, reasoningOptions, resolveSampling, stopTexts } from "./options.ts";
import { shortenHistory } from "./overflow.ts";
import { Reply } from "./reply.ts";
import { Rounds, type RoundsSummary } from "./rounds.ts";
import { withForcedCall } from "./tool-choice.ts";
import { runWithTools } from "./tool-loop.ts";

/** A history that overflows is cut at most this often for one request. */
const maxCuts = 6;

export interface RunnerOptions {
  readonly engine: Engine;
  readonly engineContext: EngineContext;
  readonly renderer: PromptRenderer;
  readonly recommended: SamplingOptions;
  readonly trained: number;
  readonly memorySize: number;
  readonly context: ContextOptions;
  readonly loadMs: number;
}

/** A request's turn at the engine. */
interface Turn {
  readonly signal: AbortSignal;
  /** Lets others have the engine while `work` runs. */
  readonly outside: <T>(work: () => Promise<T>) => Promise<T>;
}

/** What is run in a turn, and who hears of calls that could not be read. */
interface Work {
  readonly prepare: (turn: Turn, options: GenerateOptions) => AsyncGenerator<PrefillPart, Ready>;
  readonly onUnreadable?: ((why: string) => void) | undefined;
}

/** A prompt, and the room for its reply; `counted` where it has been evaluated. */
interface Ready extends Prepared {
  readonly room: Room & { readonly counted?: Counted };
}

/** Turns requests into rounds of the engine, one request at a time. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #turns: EngineTurns;
  /** What conversations have in the KV cache. */
  readonly conversations: ConversationCache;
  readonly #window: ContextWindow;
  readonly #closed: AbortController = new AbortController();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#turns = new EngineTurns(options.engine);
    this.conversations = new ConversationCache(this.#turns, options.renderer);
    this.#window = this.#windowFor(options.context);
  }

  /** The window of a request; `context` goes over the model's own options. */
  windowOf({ context }: Pick<ChatRequest, "context">): ContextWindow {
    return context ? this.#windowFor({ ...this.#options.context, ...context }) : this.#window;
  }

  /** Refuses whoever waits for a turn, and whoever comes. */
  close(error: InferenceError): void {
    this.#closed.abort(error);
    this.#turns.close(error);
  }

  /** Runs something on the engine, in its turn. */
  ask<Answer>(question: (engine: Engine) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    return this.#turns.ask(question, signal);
  }

  /** One chat turn, and those that follow from the tools it calls. */
  chat(request: ChatRequest, control: RunControl): AsyncGenerator<Part, void> {
    const turn = (asked: ChatRequest): AsyncGenerator<Part, void> =>
      this.#run(asked.options, control, {
        prepare: (turn, options) => this.#prepareChat({ ...asked, options }, turn),
        onUnreadable: asked.onUnreadable,
      });
    return runWithTools(request, { turn, control, closed: this.#closed.signal });
  }

  /** Raw completion. */
  complete(
    prompt: readonly PromptSegment[],
    options: GenerateOptions,
    control: RunControl,
  ): AsyncGenerator<Part, void> {
    return this.#run(options, control, {
      prepare: ({ signal }, options) => this.#prepareRaw(prompt, options, signal),
    });
  }

  async *#prepareRaw(
    prompt: readonly PromptSegment[],
    options: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<PrefillPart, Ready> {
    const prepared = rawPrompt(this.#options.renderer, prompt, options);
    const room = yield* this.#fit(prepared.prompt, options, { window: this.#window, reserve: 0, signal });
    return { ...prepared, room };
  }

  async *#prepareChat(request: ChatRequest, { signal, outside }: Turn): AsyncGenerator<PrefillPart, Ready> {
    const { options } = request;
    const { renderer, recommended, context } = this.#options;
    const window = this.windowOf(request);
    const strategy = request.context?.overflow ?? context.overflow ?? "error";
    let messages = request.messages;
    // A history is shortened in time for a reply; a request that can't be shortened takes what is left.
    const usual = Math.min(recommended.maxTokens ?? usualReply, Math.floor(window.limit / 4));
    let reserve = strategy === "error" || options.maxTokens !== undefined ? 0 : usual;
    for (let cuts = 0; ;) {
      const prepared = chatPrompt(renderer, messages, options);
      try {
        const room = yield* this.#fit(prepared.prompt, options, { window, reserve, signal });
        if (messages !== request.messages) request.onOverflow?.(messages);
        return { ...prepared, room };
      } catch (error) {
        if (!InferenceError.is(error, "context-full") || strategy === "error" || cuts++ === maxCuts) throw error;
        const needed = Number(error.details?.["needed"]);
        const reply = options.maxTokens ?? Math.max(1, reserve);
        try {
          messages = await shortenHistory(messages, {
            strategy,
            needed,
            reply,
            window: window.limit,
            signal,
            outside,
          });
        } catch (failure) {
          if (!InferenceError.is(failure, "context-full") || reserve === 0) throw failure;
          reserve = 0;
        }
      }
    }
  }

  /** @param reserve Tokens to leave for a reply that was not asked for by number. */
  async *#fit(
    prompt: readonly PromptSegment[],
    { maxTokens, format }: GenerateOptions,
    { window, reserve, signal }: { window: ContextWindow; reserve: number; signal: AbortSignal },
  ): AsyncGenerator<PrefillPart, Ready["room"]> {
    // A format is tried before the model thinks for long: a wrong grammar is found now.
    if (!format && window.holds(mostTokens(prompt) + reserve, maxTokens)) {
      return {
        maxTokens: maxTokens ?? this.#options.recommended.maxTokens ?? this.#options.engineContext.config.size,
        rebuilt: false,
      };
    }
    const { engine } = this.#options;
    if (!format && engine.count) {
      const tokens = await engine.count(prompt);
      window.check(tokens + reserve, maxTokens);
      return window.fit(tokens, maxTokens, signal);
    }
    const counted = yield* countPrompt(engine, prompt, { signal, format });
    window.check(counted.tokens + reserve, maxTokens);
    const room = await window.fit(counted.tokens, maxTokens, signal);
    return room.rebuilt ? room : { ...room, counted };
  }

  /** The frame of every run: its turn in the queue, its signals, its result. */
  async *#run(
    asked: GenerateOptions,
    control: RunControl,
    { prepare, onUnreadable }: Work,
  ): AsyncGenerator<Part, void> {
    const options = withForcedCall(asked, this.#options.renderer.family);
    checkSupported(options, this.#options.engine);
    const startedAt = performance.now();
    const signal = options.signal ? AbortSignal.any([control.stopped, options.signal]) : control.stopped;
    const reply = new Reply(this.#options.renderer, options);
    let rounds: Rounds | undefined;
    let leave: (() => void) | undefined;
    const finish = (summary: RoundsSummary | undefined, finishReason?: "abort"): Part => ({
      type: "finish",
      result: reply.result(summary, { startedAt, loadMs: this.#options.loadMs, finishReason }),
    });
    try {
      leave = await this.#turns.enter(signal);
      const outside: Turn["outside"] = async (work) => {
        leave?.();
        const done = await abortable(work(), signal);
        leave = await this.#turns.enter(signal);
        return done;
      };
      const { prompt, open, room } = yield* prepare({ signal, outside }, options);
      const { recommended, renderer, engine } = this.#options;
      const { onBudget, budget, minimum, nudge } = reasoningOptions(options);
      rounds = new Rounds(engine, {
        prompt,
        counted: room.counted,
        budget: new ThinkingBudget({
          open,
          tags: tagsOf(renderer, options),
          budget,
          minimum,
          nudge,
          message: onBudget?.message,
          answerApart: options.format !== undefined,
        }),
        options: {
          maxTokens: room.maxTokens,
          sampling: resolveSampling(options, recommended),
          stop: [...renderer.family.stop, ...stopTexts(options)],
          signal,
          ...(options.format ? { format: options.format } : {}),
          ...(options.logitBias ? { logitBias: options.logitBias } : {}),
          ...(options.logprobs === undefined ? {} : { logprobs: options.logprobs }),
        },
      });
      const parts = rounds.run(control);
      for (;;) {
        const { done, value } = await parts.next();
        if (done) {
          yield* reply.end();
          if (reply.unreadable !== undefined) onUnreadable?.(reply.unreadable);
          yield finish(value);
          return;
        }
        yield* reply.take(value);
      }
    } catch (error) {
      // Nobody listens any more: what there is, is the result.
      if (!control.stopped.aborted || options.signal?.aborted) throw error;
      yield finish(rounds?.partial(), "abort");
    } finally {
      leave?.();
    }
  }

  #windowFor(context: ContextOptions): ContextWindow {
    const { engineContext, trained, recommended, memorySize } = this.#options;
    return new ContextWindow({
      context: engineContext,
      trained,
      recommended: recommended.maxTokens,
      extension: readExtension(context.extend),
      kvType: context.kvType ?? "f16",
      fixedSize: typeof context.size === "number" ? context.size : undefined,
      memorySize,
    });
  }
}
