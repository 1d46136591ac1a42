import type { GenerateOptions, Message } from "../index.ts";
import { badField } from "./errors.ts";
import { optionalFlag, optionalNumber, optionalRecord, refuseUnheeded } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { reasoningOptions, samplingOptions, toolOptions, unheeded } from "./generation-options.ts";
import { readMessages } from "./messages.ts";

/** How a run is told of. */
export interface Delivery {
  readonly isStreamed: boolean;
  /** Whether a stream ends with what the run cost. */
  readonly includesUsage: boolean;
}

/** What `POST /v1/chat/completions` asks for. */
export interface ChatBody extends Delivery {
  readonly messages: readonly Message[];
  readonly options: GenerateOptions;
}

/** @throws {Refusal} 400, naming the field */
export function readChat(body: Fields): ChatBody {
  refuseUnheeded(body, {
    ...unheeded,
    functions: [],
    function_call: ["none", "auto"],
    parallel_tool_calls: [true],
    audio: [],
    web_search_options: [],
    verbosity: ["medium"],
    chat_template: [],
    continue_final_message: [false],
    add_generation_prompt: [true],
    echo: [false],
  });
  refuseModalities(body["modalities"]);
  const reasoning = reasoningOptions(body);
  return {
    ...readDelivery(body),
    messages: readMessages(body),
    options: {
      ...samplingOptions(body),
      ...toolOptions(body),
      ...(reasoning ? { reasoning } : {}),
      ...readLogprobs(body),
    },
  };
}

export function readDelivery(body: Fields): Delivery {
  const options = optionalRecord(body["stream_options"], "stream_options") ?? {};
  return {
    isStreamed: optionalFlag(body["stream"], "stream") ?? false,
    includesUsage: optionalFlag(options["include_usage"], "stream_options.include_usage") ?? false,
  };
}

function readLogprobs(body: Fields): Pick<GenerateOptions, "logprobs"> {
  const isWanted = optionalFlag(body["logprobs"], "logprobs") ?? false;
  const top = optionalNumber(body["top_logprobs"], "top_logprobs", { min: 0, max: 20, whole: true });
  if (isWanted) return { logprobs: top ?? 0 };
  if (top === undefined || top === 0) return {};
  throw badField("top_logprobs", "top_logprobs needs logprobs: true");
}

function refuseModalities(value: unknown): void {
  if (value == null || (Array.isArray(value) && value.every((kind) => kind === "text"))) return;
  throw badField("modalities", 'modalities must be ["text"]: this server writes text only');
}
