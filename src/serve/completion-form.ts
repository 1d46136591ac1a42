import type { Result, TokenLogprob } from "../index.ts";
import { finishReasonOf, usageOf } from "./form.ts";
import type { Envelope, Form, ShownPart } from "./form.ts";
import { completionLogprobs } from "./logprobs.ts";

/** A raw completion as OpenAI writes it. */
export class CompletionForm implements Form {
  readonly #envelope: Envelope;
  readonly #includesUsage: boolean;
  readonly #withLogprobs: boolean;
  readonly #tokens: TokenLogprob[] = [];
  #length = 0;

  constructor(envelope: Envelope, { includesUsage, withLogprobs }: { includesUsage: boolean; withLogprobs: boolean }) {
    this.#envelope = envelope;
    this.#includesUsage = includesUsage;
    this.#withLogprobs = withLogprobs;
  }

  begin(): readonly object[] {
    return [];
  }

  take(part: ShownPart): readonly object[] {
    if (part.type !== "text") return [];
    const { text, logprobs = [] } = part;
    const told = this.#withLogprobs ? completionLogprobs(logprobs, this.#length) : null;
    this.#tokens.push(...logprobs);
    this.#length += text.length;
    return [this.#chunk({ text, logprobs: told })];
  }

  end(result: Result): readonly object[] {
    const last = this.#chunk({ finish_reason: finishReasonOf(result) });
    return this.#includesUsage ? [last, { ...this.#head(), choices: [], usage: usageOf(result) }] : [last];
  }

  whole(result: Result): object {
    const logprobs = this.#withLogprobs ? completionLogprobs(this.#tokens, 0) : null;
    return {
      ...this.#head(),
      choices: [{ index: 0, text: result.text, logprobs, finish_reason: finishReasonOf(result) }],
      usage: usageOf(result),
    };
  }

  #head(): object {
    return { ...this.#envelope, object: "text_completion" };
  }

  #chunk(own: object): object {
    const choice = { index: 0, text: "", logprobs: null, finish_reason: null, ...own };
    return { ...this.#head(), choices: [choice], ...(this.#includesUsage ? { usage: null } : {}) };
  }
}
