import type { Result, TokenLogprob, ToolCall } from "../index.ts";
import { finishReasonOf, usageOf } from "./form.ts";
import type { Envelope, Form, ShownPart } from "./form.ts";
import { chatLogprob } from "./logprobs.ts";

/** A chat turn as OpenAI writes it, thoughts in `reasoning_content`. */
export class ChatForm implements Form {
  readonly #envelope: Envelope;
  readonly #includesUsage: boolean;
  readonly #withLogprobs: boolean;
  readonly #spoken: TokenLogprob[] = [];
  readonly #thought: TokenLogprob[] = [];
  #calls = 0;

  constructor(envelope: Envelope, { includesUsage, withLogprobs }: { includesUsage: boolean; withLogprobs: boolean }) {
    this.#envelope = envelope;
    this.#includesUsage = includesUsage;
    this.#withLogprobs = withLogprobs;
  }

  begin(): readonly object[] {
    return [this.#chunk({ role: "assistant", content: "" })];
  }

  take(part: ShownPart): readonly object[] {
    if (part.type === "tool-call") {
      return [this.#chunk({ tool_calls: [{ index: this.#calls++, ...callOf(part.call) }] })];
    }
    const tokens = part.logprobs ?? [];
    if (part.type === "reasoning") {
      this.#thought.push(...tokens);
      return [this.#chunk({ reasoning_content: part.text }, { logprobs: this.#logprobs([], tokens) })];
    }
    this.#spoken.push(...tokens);
    return [this.#chunk({ content: part.text }, { logprobs: this.#logprobs(tokens, []) })];
  }

  end(result: Result): readonly object[] {
    const last = this.#chunk({}, { finish_reason: finishReasonOf(result) });
    return this.#includesUsage ? [last, { ...this.#head(), choices: [], usage: usageOf(result) }] : [last];
  }

  whole(result: Result): object {
    const { text, reasoning, message } = result;
    const calls = message.toolCalls ?? [];
    return {
      ...this.#envelope,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text === "" && calls.length > 0 ? null : text,
            refusal: null,
            ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
            ...(calls.length > 0 ? { tool_calls: calls.map(callOf) } : {}),
          },
          logprobs: this.#logprobs(this.#spoken, this.#thought),
          finish_reason: finishReasonOf(result),
        },
      ],
      usage: usageOf(result),
    };
  }

  #head(): object {
    return { ...this.#envelope, object: "chat.completion.chunk" };
  }

  #chunk(delta: object, extra: object = {}): object {
    const choice = { index: 0, delta, logprobs: null, finish_reason: null, ...extra };
    return { ...this.#head(), choices: [choice], ...(this.#includesUsage ? { usage: null } : {}) };
  }

  #logprobs(spoken: readonly TokenLogprob[], thought: readonly TokenLogprob[]): object | null {
    if (!this.#withLogprobs) return null;
    return {
      content: spoken.map(chatLogprob),
      refusal: null,
      ...(thought.length > 0 ? { reasoning_content: thought.map(chatLogprob) } : {}),
    };
  }
}

function callOf({ id, name, arguments: values }: ToolCall): object {
  return { id, type: "function", function: { name, arguments: JSON.stringify(values) } };
}
