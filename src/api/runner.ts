import { readExtension } from "../context/rope-scaling.ts";
import { fitHistory } from "../context/fit-history.ts";
import type { Message, Part, SamplingOptions } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { PromptRenderer } from "../prompt/renderer.ts";
import { segmentsToText } from "../prompt/renderer.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { pruneHistory, startThinking, ThinkingBudget } from "../reasoning/index.ts";
import type { ContextOptions, GenerateOptions, SessionOptions } from "./contract.ts";
import type { EngineContext, Room } from "./context-window.ts";
import { contextFull, ContextWindow } from "./context-window.ts";
import type { RunControl } from "./generation.ts";
import { checkGenerateOptions, checkSupported, reasoningOptions, resolveSampling, stopTexts } from "./options.ts";
import { Queue } from "./queue.ts";
import { Reply } from "./reply.ts";
import { Rounds, type RoundsSummary } from "./rounds.ts";

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

export interface ChatRequest {
  readonly messages: readonly Message[];
  readonly options: GenerateOptions & Pick<SessionOptions, "keepReasoning">;
  /** Instead of the model's own context options. */
  readonly context?: ContextOptions;
  /** Told of the messages that are left, when the history had to be cut. */
  readonly onOverflow?: (kept: readonly Message[]) => void;
}

interface Prepared {
  readonly prompt: readonly PromptSegment[];
  readonly open: boolean;
}

/** Turns requests into rounds of the engine, one request at a time. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #queue: Queue = new Queue();
  readonly #window: ContextWindow;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#window = this.#windowFor(options.context);
  }

  /** The window of a request; `context` goes over the model's own options. */
  windowOf({ context }: Pick<ChatRequest, "context">): ContextWindow {
    return context ? this.#windowFor({ ...this.#options.context, ...context }) : this.#window;
  }

  get engineName(): string {
    return this.#options.engine.info.engine;
  }

  /** One chat turn. */
  async *chat(request: ChatRequest, control: RunControl): AsyncGenerator<Part, void> {
    const { options } = request;
    const window = this.windowOf(request);
    const overflow = request.context?.overflow ?? this.#options.context.overflow ?? "error";
    yield* this.#run(options, control, async (signal) => {
      let messages = request.messages;
      for (let cuts = 0; ; cuts++) {
        const prepared = this.#prepare(messages, options);
        try {
          const room = await this.#fit(prepared.prompt, options, { window, signal });
          if (cuts > 0) request.onOverflow?.(messages);
          return { ...prepared, room };
        } catch (error) {
          if (!InferenceError.is(error, "context-full") || overflow === "error" || cuts === maxCuts) throw error;
          const needed = Number(error.details?.["needed"]);
          messages = await cut(messages, { overflow, needed, window: window.limit, signal });
        }
      }
    });
  }

  /** Raw completion. */
  async *complete(
    prompt: readonly PromptSegment[],
    options: GenerateOptions,
    control: RunControl,
  ): AsyncGenerator<Part, void> {
    yield* this.#run(options, control, async (signal) => {
      const { open } = startThinking(segmentsToText(prompt), "auto", this.#tags(options));
      return { prompt, open, room: await this.#fit(prompt, options, { window: this.#window, signal }) };
    });
  }

  /** Tokens of a request's prompt, which is in the KV cache afterwards. */
  async count({ messages, options }: ChatRequest): Promise<number> {
    return this.countPrompt(this.#prepare(messages, options).prompt, options.signal);
  }

  async countPrompt(prompt: readonly PromptSegment[], signal?: AbortSignal): Promise<number> {
    const leave = await this.#queue.enter(signal);
    try {
      return (await this.#count(prompt, signal)).tokens;
    } finally {
      leave();
    }
  }

  /** The prompt of a conversation, and whether its reply begins inside a thinking block. */
  #prepare(messages: readonly Message[], options: ChatRequest["options"]): Prepared {
    const { renderer } = this.#options;
    const { mode = "auto" } = reasoningOptions(options);
    const tools = options.toolChoice === "none" ? [] : (options.tools ?? []);
    const pruned = pruneHistory(messages, { keepReasoning: options.keepReasoning ?? "none" });
    const segments = renderer.render(pruned, { thinking: mode !== "off", ...(tools.length > 0 ? { tools } : {}) });
    const text = segmentsToText(segments);
    const tags = this.#tags(options);
    const auto = startThinking(text, mode, tags);
    // A template that opened the block lacks the line break that the model was trained with.
    const { append, open } = auto.open ? startThinking(text, "force", tags) : auto;
    return { prompt: append === "" ? segments : [...segments, { kind: "control", text: append }], open };
  }

  #tags(options: GenerateOptions): { open: string; close: string } {
    return reasoningOptions(options).tags ?? this.#options.renderer.family.tags;
  }

  async #fit(
    prompt: readonly PromptSegment[],
    { maxTokens }: GenerateOptions,
    { window, signal }: { window: ContextWindow; signal: AbortSignal },
  ): Promise<Room & { cached?: number }> {
    // No token is shorter than a byte, but a tokenizer may put one before and one after the text.
    const most = new TextEncoder().encode(segmentsToText(prompt)).length + 2;
    if (window.holds(most, maxTokens)) {
      return {
        maxTokens: maxTokens ?? this.#options.recommended.maxTokens ?? this.#options.engineContext.config.size,
        rebuilt: false,
      };
    }
    const { tokens, cached } = await this.#count(prompt, signal);
    const room = await window.fit(tokens, maxTokens, signal);
    return room.rebuilt ? room : { ...room, cached };
  }

  /** Counts by a completion of no tokens; a prompt that does not fit is counted without being evaluated. */
  async #count(
    prompt: readonly PromptSegment[],
    signal: AbortSignal | undefined,
  ): Promise<{ tokens: number; cached: number }> {
    const options = {
      maxTokens: 0,
      sampling: resolveSampling({ temperature: 0 }, {}),
      stop: [],
      ...(signal ? { signal } : {}),
    };
    let counted: { tokens: number; cached: number } | undefined;
    try {
      for await (const event of this.#options.engine.complete(prompt, options)) {
        if (event.type === "end") counted = { tokens: event.usage.prompt, cached: event.usage.cached };
      }
    } catch (error) {
      const needed = InferenceError.is(error, "context-full") ? error.details?.["needed"] : undefined;
      if (typeof needed === "number") return { tokens: needed, cached: 0 };
      throw error;
    }
    if (counted) return counted;
    throw new InferenceError(
      "crashed",
      "Cannot count the prompt: the engine ended without saying how long it is; load the model again",
    );
  }

  /** The frame of every run: its turn in the queue, its signals, its result. */
  async *#run(
    options: GenerateOptions,
    control: RunControl,
    prepare: (signal: AbortSignal) => Promise<Prepared & { room: Room & { cached?: number } }>,
  ): AsyncGenerator<Part, void> {
    checkGenerateOptions(options);
    checkSupported(options, this.#options.engine);
    checkToolChoice(options);
    const startedAt = performance.now();
    const signal = options.signal ? AbortSignal.any([control.stopped, options.signal]) : control.stopped;
    const reply = new Reply(this.#options.renderer, options);
    let rounds: Rounds | undefined;
    let leave: (() => void) | undefined;
    let cached: number | undefined;
    const finish = (summary: RoundsSummary | undefined, finishReason?: "abort"): Part => ({
      type: "finish",
      result: reply.result(summary, { startedAt, loadMs: this.#options.loadMs, cached, finishReason }),
    });
    try {
      leave = await this.#queue.enter(signal);
      const { prompt, open, room } = await prepare(signal);
      cached = room.cached;
      const { recommended, renderer, engine } = this.#options;
      const { onBudget, budget, minimum, nudge } = reasoningOptions(options);
      rounds = new Rounds(engine, {
        prompt,
        budget: new ThinkingBudget({
          open,
          tags: this.#tags(options),
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

function checkToolChoice({ toolChoice, tools = [] }: GenerateOptions): void {
  if (toolChoice === undefined || toolChoice === "auto" || toolChoice === "none") return;
  if (toolChoice !== "required" && typeof toolChoice !== "object") {
    throw new TypeError('toolChoice must be "auto", "none", "required" or { name }');
  }
  const wanted = typeof toolChoice === "object" ? ` ${toolChoice.name}` : "";
  throw new InferenceError(
    "unsupported",
    `Cannot force a call of the tool${wanted}: calls are up to the model in this version; use toolChoice "auto" (${tools.length} tools given)`,
  );
}

async function cut(
  messages: readonly Message[],
  {
    overflow,
    needed,
    window,
    signal,
  }: {
    overflow: Exclude<ContextOptions["overflow"], "error" | undefined>;
    needed: number;
    window: number;
    signal: AbortSignal;
  },
): Promise<readonly Message[]> {
  if (typeof overflow === "function") return overflow({ messages, needed, window, signal });
  // Only the whole prompt was counted; its tokens are shared out by length.
  const lengths = messages.map((message) => message.content.length + 8);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const counts = lengths.map((length) => Math.ceil((length / total) * needed));
  const kept = fitHistory(messages, { counts, window: Math.max(1, window - 1), overflow });
  if (kept.length === messages.length) throw contextFull(needed, window);
  return kept;
}
