// The events of a completion that a server streams, in the shape of OpenAI's /v1/completions.
import { InferenceError } from "../../errors.ts";
import type { CompleteOptions, EngineEvent } from "../engine.ts";
import { isRecord } from "./http.ts";

/** Characters of one event at most: a server that sends more without an end is broken. */
const longestEvent = 2 ** 22;

/** The data of server-sent events, parsed; ends at `[DONE]` or with the stream. */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of chunksOf(body)) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > longestEvent) throw new Error("an event of the stream has no end");
    for (const line of lines) {
      const data = /^data: ?(.*)$/s.exec(line)?.[1];
      if (data === undefined || data === "") continue;
      if (data.trim() === "[DONE]") return;
      const value: unknown = JSON.parse(data);
      if (isRecord(value)) yield value;
    }
  }
}

/** By a reader: not every browser can iterate streams. Leaving early cancels it. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Turns a server's events into an engine's. */
export class RemoteReader {
  readonly #options: CompleteOptions;
  readonly #startedAt: number = performance.now();
  #firstAt: number | undefined;
  #told = 0;
  #reason: "stop" | "length" | undefined;
  #usage: { readonly prompt: number; readonly cached: number; readonly completion: number } | undefined;

  constructor(options: CompleteOptions) {
    this.#options = options;
  }

  /** @throws {InferenceError} `crashed` if the event says that the server failed */
  *read(event: Readonly<Record<string, unknown>>): Generator<EngineEvent> {
    const { error, usage, choices } = event;
    if (error !== undefined) {
      const said = isRecord(error) && typeof error["message"] === "string" ? error["message"] : JSON.stringify(error);
      throw new InferenceError("crashed", `Cannot go on: the server failed while it answered (${said})`);
    }
    if (isRecord(usage)) this.#usage = usageOf(usage);
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    if (!isRecord(choice)) return;
    const { text, finish_reason: reason } = choice;
    if (reason === "stop" || reason === "length") this.#reason = reason;
    if (typeof text !== "string" || text === "" || this.#options.maxTokens === 0) return;
    this.#firstAt ??= performance.now();
    // A server may send several tokens at once, and says at the end how many there were.
    const tokens = this.#told < this.#options.maxTokens ? 1 : 0;
    this.#told += tokens;
    yield { type: "piece", text, tokens };
  }

  /** @throws {InferenceError} `network` if the stream was not complete */
  *end(): Generator<EngineEvent> {
    const { maxTokens } = this.#options;
    if (this.#reason === undefined) {
      throw new InferenceError("network", `Cannot go on: the server's answer broke off after ${this.#told} pieces`);
    }
    const now = performance.now();
    const { prompt = 0, cached = 0, completion = this.#told } = this.#usage ?? {};
    // Nothing is known of a prefill but that it has ended, and how long the prompt is only now.
    if (this.#firstAt === undefined) yield { type: "prefill", done: prompt, total: prompt, cached };
    const sampled = maxTokens === 0 ? 0 : Math.max(this.#told, completion);
    if (sampled > this.#told) yield { type: "piece", text: "", tokens: sampled - this.#told };
    yield {
      type: "end",
      reason: maxTokens === 0 ? "length" : this.#reason,
      usage: { prompt, cached, completion: sampled },
      timings: {
        prefillMs: (this.#firstAt ?? now) - this.#startedAt,
        decodeMs: this.#firstAt === undefined ? 0 : now - this.#firstAt,
      },
    };
  }
}

function usageOf(usage: Readonly<Record<string, unknown>>): { prompt: number; cached: number; completion: number } {
  const details = usage["prompt_tokens_details"];
  const number = (value: unknown): number => (typeof value === "number" ? value : 0);
  return {
    prompt: number(usage["prompt_tokens"]),
    cached: isRecord(details) ? number(details["cached_tokens"]) : 0,
    completion: number(usage["completion_tokens"]),
  };
}
