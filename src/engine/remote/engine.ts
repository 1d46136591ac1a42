// The engine interface over a completion server: where one machine is not enough, the same program runs on a cluster's.
import { InferenceError } from "../../errors.ts";
import type { PromptSegment } from "../../prompt/segment.ts";
import { contextFull } from "../context-full.ts";
import type {
  CompleteOptions,
  ContextConfig,
  Engine,
  EngineCapabilities,
  EngineEvent,
  EngineInfo,
  ModelFacts,
} from "../engine.ts";
import { completionBody } from "./body.ts";
import { isRecord, RemoteRefusal, request } from "./http.ts";
import type { RemoteAddress } from "./http.ts";
import { RemotePrompts } from "./prompt.ts";
import type { RemoteServer } from "./server.ts";
import { RemoteReader, serverEvents } from "./stream.ts";

export interface RemoteEngineOptions {
  readonly address: RemoteAddress;
  readonly server: RemoteServer;
  readonly facts: ModelFacts;
  /** Tokens of the server's context. */
  readonly window: number;
}

/** A model on a server. Calls may go on at once there; here, as with every engine, one at a time. */
export class RemoteEngine implements Engine {
  readonly info: EngineInfo = { engine: "remote", threads: 1, simd: "none", memory: "remote", why: [] };
  readonly capabilities: EngineCapabilities;
  readonly #options: RemoteEngineOptions;
  readonly #prompts: RemotePrompts;
  readonly #closing: AbortController = new AbortController();
  #busy = false;

  constructor(options: RemoteEngineOptions) {
    this.#options = options;
    this.#prompts = new RemotePrompts(options.facts.controlTokens);
    const { kind } = options.server;
    this.capabilities = {
      tokenize: false,
      logprobs: false,
      logitBias: true,
      grammar: kind === "llama-server" || kind === "sglang",
      jsonSchema: true,
      state: false,
      embed: true,
      rank: false,
    };
  }

  /** The context is the server's: nothing is changed. */
  async configure(_config: ContextConfig, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#closing.signal.throwIfAborted();
    signal?.throwIfAborted();
  }

  async *complete(prompt: readonly PromptSegment[], options: CompleteOptions): AsyncGenerator<EngineEvent, void> {
    const leave = this.#enter();
    const left = new AbortController();
    const signals = [left.signal, this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const signal = AbortSignal.any(signals);
    try {
      const { address, server, facts } = this.#options;
      const body = completionBody({ server, prompt: this.#prompts.write(prompt), options, facts });
      const reader = new RemoteReader(options);
      const response = await request(address, { path: "completions", body, signal });
      if (!response.body) throw new InferenceError("network", "Cannot read the server's answer: it has no body");
      for await (const event of serverEvents(response.body)) yield* reader.read(event);
      yield* reader.end();
    } catch (error) {
      throw this.#explained(error, options);
    } finally {
      left.abort();
      leave();
    }
  }

  async embed(texts: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array[]> {
    const leave = this.#enter();
    try {
      const { address, server } = this.#options;
      const body = { model: server.model, input: texts.map((text) => text.toWellFormed()), encoding_format: "float" };
      const all = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]);
      const answer: unknown = await (await request(address, { path: "embeddings", body, signal: all })).json();
      return vectorsOf(answer, texts.length);
    } catch (error) {
      if (!(error instanceof RemoteRefusal)) throw error;
      throw new InferenceError("unsupported", `Cannot embed texts: the server answered ${error.message}`, {
        cause: error,
      });
    } finally {
      leave();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new InferenceError("closed", "Cannot use this engine: it is closed; load the model again"));
  }

  #enter(): () => void {
    this.#closing.signal.throwIfAborted();
    if (this.#busy) {
      throw new InferenceError(
        "busy",
        "Cannot start on this engine: another call runs on it; wait until that has ended",
      );
    }
    this.#busy = true;
    return () => (this.#busy = false);
  }

  /** A failure in our terms. */
  #explained(error: unknown, { signal, format }: CompleteOptions): unknown {
    if (signal?.aborted) return signal.reason;
    if (this.#closing.signal.aborted) return this.#closing.signal.reason;
    if (InferenceError.is(error)) return error;
    const { window } = this.#options;
    if (!(error instanceof RemoteRefusal)) {
      const said = error instanceof Error ? error.message : String(error);
      // Not asked for again: a part of it was said already.
      return new InferenceError("network", `Cannot go on: the server's answer broke off (${said})`, { cause: error });
    }
    const needed = error.details["n_prompt_tokens"];
    if (typeof needed === "number") return contextFull(needed, window);
    const { status, message } = error;
    if (status >= 500 || status === 401 || status === 403 || status === 404) {
      return new InferenceError("network", `Cannot complete: the server answered ${status} ${message}`, {
        cause: error,
        details: { status },
      });
    }
    if (/context length|context size|maximum context|too long/i.test(message)) {
      return new InferenceError("context-full", `Cannot run this prompt: the server says ${message}`, {
        cause: error,
        details: { window },
      });
    }
    return new InferenceError(
      format ? "grammar" : "unsupported",
      `Cannot complete: the server refused it (${message})`,
      {
        cause: error,
        details: { status },
      },
    );
  }
}

function vectorsOf(answer: unknown, count: number): Float32Array[] {
  const data = isRecord(answer) && Array.isArray(answer["data"]) ? answer["data"].filter(isRecord) : [];
  const vectors = data.map(({ embedding }) =>
    Array.isArray(embedding) && embedding.every((value) => typeof value === "number")
      ? Float32Array.from(embedding)
      : undefined,
  );
  const found = vectors.filter((vector) => vector !== undefined);
  if (found.length === count) return found;
  throw new InferenceError("network", `Cannot embed texts: the server gave ${found.length} vectors for ${count} texts`);
}
