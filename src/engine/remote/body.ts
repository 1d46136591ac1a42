// What a completion is asked for, in the words of each server.
import type { CompleteOptions, ModelFacts } from "../engine.ts";
import type { RemoteServer, ServerKind } from "./server.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface BodyOptions {
  readonly server: RemoteServer;
  readonly prompt: string | readonly number[];
  readonly options: CompleteOptions;
  readonly facts: ModelFacts;
}

/** The body of a request for a completion. */
export function completionBody({ server, prompt, options, facts }: BodyOptions): Fields {
  const { sampling, stop, logitBias, maxTokens } = options;
  const { temperature, topP, seed } = sampling;
  const texts = new Map([...facts.controlTokens].map(([text, id]) => [id, text]));
  const ends = facts.endTokens.flatMap((id) => texts.get(id) ?? []);
  const stops = [...new Set([...stop.map((text) => text.toWellFormed()), ...ends])];
  return {
    model: server.model,
    prompt,
    // Some servers refuse to sample nothing: one token is thrown away then.
    max_tokens: Math.max(1, maxTokens),
    temperature,
    top_p: topP,
    ...(seed === undefined ? {} : { seed }),
    ...(stops.length > 0 ? { stop: stops } : {}),
    ...(logitBias && logitBias.size > 0 ? { logit_bias: Object.fromEntries(logitBias) } : {}),
    ...own[server.kind](options, facts),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** What each server knows beyond OpenAI's options. */
const own: Readonly<Record<ServerKind, (options: CompleteOptions, facts: ModelFacts) => Fields>> = {
  "llama-server": ({ sampling, format }) => ({
    cache_prompt: true,
    top_k: sampling.topK,
    min_p: sampling.minP,
    repeat_penalty: sampling.repeatPenalty,
    ...(format?.type === "gbnf" ? { grammar: format.grammar.toWellFormed() } : {}),
    ...(format?.type === "json" ? { json_schema: format.schema ?? {} } : {}),
  }),
  vllm: ({ sampling, format }, facts) => ({
    ...wide(sampling, facts),
    // The template has written them.
    add_special_tokens: false,
    ...schemaAsResponseFormat(format),
  }),
  sglang: ({ sampling, format }, facts) => ({
    ...wide(sampling, facts),
    ...(format?.type === "json" ? { json_schema: JSON.stringify(format.schema ?? { type: "object" }) } : {}),
    ...(format?.type === "gbnf" ? { ebnf: format.grammar.toWellFormed() } : {}),
  }),
  other: ({ format }) => schemaAsResponseFormat(format),
};

function wide(sampling: CompleteOptions["sampling"], { endTokens }: ModelFacts): Fields {
  return {
    top_k: sampling.topK === 0 ? -1 : sampling.topK,
    min_p: sampling.minP,
    repetition_penalty: sampling.repeatPenalty,
    // Tags of thoughts and tool calls may be special tokens, and are to be seen.
    skip_special_tokens: false,
    ...(endTokens.length > 0 ? { stop_token_ids: endTokens } : {}),
  };
}

function schemaAsResponseFormat(format: CompleteOptions["format"]): Fields {
  if (format?.type !== "json") return {};
  if (!format.schema) return { response_format: { type: "json_object" } };
  return { response_format: { type: "json_schema", json_schema: { name: "answer", schema: format.schema } } };
}
