import type { PromptRenderer } from "../prompt/renderer.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { chatPrompt, conversationPrompt } from "./chat-prompt.ts";
import { evaluatePrompt } from "./count-prompt.ts";
import type { EngineTurns } from "./engine-turns.ts";
import { requireCapability } from "./options.ts";
import type { ChatRequest } from "./chat-request.ts";

/** What conversations have in the engine's KV cache: counted, evaluated ahead of time, saved and restored. */
export class ConversationCache {
  readonly #turns: EngineTurns;
  readonly #renderer: PromptRenderer;

  constructor(turns: EngineTurns, renderer: PromptRenderer) {
    this.#turns = turns;
    this.#renderer = renderer;
  }

  /** Tokens of a request's prompt. */
  count({ messages, options }: ChatRequest): Promise<number> {
    return this.countPrompt(chatPrompt(this.#renderer, messages, options).prompt, options.signal);
  }

  /** Tokens of a prompt; an engine that can't tokenize evaluates it to know. */
  countPrompt(prompt: readonly PromptSegment[], signal?: AbortSignal): Promise<number> {
    return this.#turns.ask((engine) => engine.count?.(prompt) ?? evaluatePrompt(engine, prompt, signal), signal);
  }

  /** Evaluates a conversation, so that its next turn need not. @returns Its tokens. */
  async evaluate({ messages, options }: ChatRequest): Promise<number> {
    const { prompt } = chatPrompt(this.#renderer, messages, options);
    return this.#turns.ask((engine) => evaluatePrompt(engine, prompt, options.signal), options.signal);
  }

  /**
   * Evaluates what the next turn of a conversation will begin with, while nobody wants the engine. One that can't tokenize
   * would not find sampled tokens again, and is left alone.
   */
  warm({ messages, options }: ChatRequest): void {
    this.#turns.whileIdle(async (engine, signal) => {
      if (!engine.capabilities.tokenize) return;
      const prompt = conversationPrompt(this.#renderer, messages, options);
      if (prompt.length > 0) await evaluatePrompt(engine, prompt, signal);
    });
  }

  /** @throws {InferenceError} `unsupported` if the engine can't copy its state */
  requireState(action: string): void {
    requireCapability(this.#turns.engine, "state", action);
  }

  /** The engine's state with a conversation in it. */
  save({ messages, options }: ChatRequest): Promise<Uint8Array<ArrayBuffer>> {
    return this.#turns.ask(async (engine) => {
      const prompt = messages.length > 0 ? conversationPrompt(this.#renderer, messages, options) : [];
      if (prompt.length > 0) await evaluatePrompt(engine, prompt);
      return (await engine.saveState?.()) ?? new Uint8Array();
    });
  }

  /** @throws {InferenceError} `format` if the state is of another model or context */
  restore(state: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#turns.ask(async (engine) => engine.restoreState?.(state));
  }
}
