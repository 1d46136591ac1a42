import type { GenerateOptions } from "../index.ts";
import type { Delivery } from "./chat-request.ts";
import { readDelivery } from "./chat-request.ts";
import { badField } from "./errors.ts";
import { kindOf, optionalNumber, refuseUnheeded } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { samplingOptions, unheeded } from "./generation-options.ts";

/** What `POST /v1/completions` asks for. */
export interface CompletionBody extends Delivery {
  readonly prompt: string | Uint32Array;
  readonly options: GenerateOptions;
}

/** Tags that no text holds, since these are no characters: what a raw completion says, its reader wants as it is. */
const noTags = { open: "\u{10fffe}", close: "\u{10ffff}" };

/** @throws {Refusal} 400, naming the field */
export function readCompletion(body: Fields): CompletionBody {
  refuseUnheeded(body, {
    ...unheeded,
    echo: [false],
    suffix: [""],
    tools: [],
    reasoning_effort: [],
    thinking: [],
  });
  const logprobs = optionalNumber(body["logprobs"], "logprobs", { min: 0, max: 20, whole: true });
  return {
    ...readDelivery(body),
    prompt: readPrompt(body["prompt"]),
    options: {
      ...samplingOptions(body),
      reasoning: { tags: noTags },
      ...(logprobs === undefined ? {} : { logprobs }),
    },
  };
}

/** A string or token ids, or a list with one of them. */
function readPrompt(prompt: unknown): string | Uint32Array {
  if (typeof prompt === "string" && prompt !== "") return prompt;
  if (Array.isArray(prompt) && prompt.length > 0) {
    const [first]: readonly unknown[] = prompt;
    if (prompt.every(isTokenId)) return Uint32Array.from(prompt);
    if (typeof first === "string" || Array.isArray(first)) {
      if (prompt.length === 1) return readPrompt(first);
      throw badField("prompt", `prompt has ${prompt.length} prompts; send one a request`);
    }
  }
  throw badField("prompt", `prompt must be a string or an array of token ids, not empty; it is ${kindOf(prompt)}`);
}

function isTokenId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}
