import type { Message, Part } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import { pruneHistory } from "../reasoning/prune-history.ts";
import type { GenerateOptions, Generation, Session, SessionOptions } from "./contract.ts";
import type { RunControl } from "./one-run.ts";
import { ModelGeneration } from "./generation.ts";
import { ownMessages, ownOptions } from "./own-copies.ts";
import { Queue } from "./queue.ts";
import { packSession, unpackSession } from "./session-state.ts";
import type { ChatRequest, ConversationEnd } from "./chat-request.ts";
import type { Runner } from "./runner.ts";

/** A conversation: its pruned history, and what every turn of it has in common. */
export class ModelSession extends EventTarget implements Session {
  readonly #runner: Runner;
  readonly #options: SessionOptions;
  /** One turn at a time: each goes on from the answer of the one before. */
  readonly #turns: Queue = new Queue();
  #messages: Message[];
  #contextUsage = 0;
  #closed = false;

  constructor(runner: Runner, options: SessionOptions, messages: readonly Message[]) {
    super();
    this.#runner = runner;
    this.#options = options;
    this.#messages = [...messages];
  }

  get messages(): readonly Message[] {
    return structuredClone(this.#messages);
  }

  get contextUsage(): number {
    return this.#contextUsage;
  }

  get contextWindow(): number {
    return this.#runner.windowOf(this.#options).limit;
  }

  prompt(input: string | readonly Message[], options: GenerateOptions = {}): Generation {
    this.#checkOpen("prompt");
    const own = ownOptions(options);
    const added = asMessages(input);
    return new ModelGeneration((control) => this.#turn(added, own, control));
  }

  async append(input: readonly Message[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#checkOpen("append");
    const added = asMessages(input);
    const leave = await this.#turns.enter(signal);
    try {
      const messages = [...this.#messages, ...added];
      const usage = await this.#runner.conversations.evaluate(this.#request(messages, signal ? { signal } : {}));
      this.#checkOpen("append");
      this.#messages = this.#pruned(messages);
      this.#contextUsage = usage;
    } finally {
      leave();
    }
  }

  async measureContextUsage(input: string | readonly Message[]): Promise<number> {
    this.#checkOpen("measureContextUsage");
    return this.#runner.conversations.count(this.#request([...this.#messages, ...asMessages(input)], {}));
  }

  async clone({ signal }: { signal?: AbortSignal } = {}): Promise<Session> {
    this.#checkOpen("clone");
    signal?.throwIfAborted();
    const copy = new ModelSession(this.#runner, this.#options, structuredClone(this.#messages));
    copy.#contextUsage = this.#contextUsage;
    return copy;
  }

  async save(): Promise<Blob> {
    this.#checkOpen("save");
    this.#runner.conversations.requireState("save the session");
    const leave = await this.#turns.enter();
    try {
      const conversation = { messages: this.#messages, contextUsage: this.#contextUsage };
      return packSession(conversation, await this.#runner.conversations.save(this.#request(this.#messages, {})));
    } finally {
      leave();
    }
  }

  async restore(state: Blob): Promise<void> {
    this.#checkOpen("restore");
    this.#runner.conversations.requireState("restore the session");
    const { conversation, state: bytes } = await unpackSession(state);
    const leave = await this.#turns.enter();
    try {
      await this.#runner.conversations.restore(bytes);
      this.#checkOpen("restore");
      this.#messages = ownMessages(conversation.messages);
      this.#contextUsage = conversation.contextUsage;
    } finally {
      leave();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#messages = [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#turn(added: readonly Message[], options: GenerateOptions, control: RunControl): AsyncGenerator<Part, void> {
    const leave = await this.#turnOf(control, options.signal);
    try {
      this.#checkOpen("prompt");
      let end: ConversationEnd | undefined;
      const request: ChatRequest = {
        ...this.#request([...this.#messages, ...added], options),
        onOverflow: () => this.dispatchEvent(new Event("contextoverflow")),
        onEnd: (now) => {
          end = now;
        },
      };
      for await (const part of this.#runner.chat(request, control)) {
        if (part.type === "finish" && part.result.finishReason !== "abort" && end) this.#remember(end);
        yield part;
      }
    } finally {
      leave();
    }
  }

  async #turnOf({ stopped }: RunControl, signal: AbortSignal | undefined): Promise<() => void> {
    try {
      return await this.#turns.enter(signal ? AbortSignal.any([stopped, signal]) : stopped);
    } catch (reason) {
      if (signal?.aborted) throw reason;
      // Left by its consumer while it waited: the run itself says so, in its result.
      return () => undefined;
    }
  }

  /** A turn that was left or aborted leaves the history as it was, so that it can be asked again. */
  #remember({ messages, contextTokens }: ConversationEnd): void {
    if (this.#closed) return;
    this.#messages = this.#pruned(messages);
    this.#contextUsage = contextTokens;
    this.#warm();
  }

  /** The thoughts of a turn are gone from its history: what is left is evaluated before the next turn asks for it. */
  #warm(): void {
    this.#runner.conversations.warm(this.#request(this.#messages, {}));
  }

  #request(messages: readonly Message[], options: GenerateOptions): ChatRequest {
    const { system: _system, history: _history, context, ...defaults } = this.#options;
    return {
      messages,
      options: { ...defaults, ...options },
      ...(context ? { context } : {}),
    };
  }

  #pruned(messages: readonly Message[]): Message[] {
    return pruneHistory(messages, { keepReasoning: this.#options.keepReasoning ?? "none" });
  }

  #checkOpen(action: string): void {
    if (this.#closed)
      throw new InferenceError(
        "closed",
        `Cannot ${action}: this session is closed; start another with model.session()`,
      );
  }
}

function asMessages(input: string | readonly Message[]): readonly Message[] {
  return ownMessages(typeof input === "string" ? [{ role: "user", content: input }] : input);
}
