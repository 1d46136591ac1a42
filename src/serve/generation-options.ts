// The fields that chat and raw completions share, in the library's words.
import type { GenerateOptions, ReasoningOptions } from "../index.ts";
import { badField } from "./errors.ts";
import {
  isRecord,
  kindOf,
  optionalList,
  optionalNumber,
  optionalRecord,
  optionalText,
  requiredText,
} from "./fields.ts";
import type { Fields, Neutral, NumberRule } from "./fields.ts";

/** What would change the answer and is heeded nowhere, with the values that ask for nothing. */
export const unheeded: Readonly<Record<string, Neutral>> = {
  n: [1],
  best_of: [1],
  presence_penalty: [0],
  frequency_penalty: [0],
  repetition_penalty: [1],
  min_tokens: [0],
  ignore_eos: [false],
  typical_p: [1],
  mirostat: [0],
  stop_token_ids: [],
  bad_words: [],
  use_beam_search: [false],
  grammar: [""],
  json_schema: [],
  guided_json: [],
  guided_regex: [],
  guided_choice: [],
  guided_grammar: [],
  structured_outputs: [],
};

/** Absent fields stay absent, so that what the model recommends holds. */
export function samplingOptions(body: Fields): GenerateOptions {
  const number = (name: string, rule: NumberRule): number | undefined => optionalNumber(body[name], name, rule);
  return defined({
    maxTokens: maxTokens(body),
    temperature: number("temperature", { min: 0, max: 100 }),
    topP: number("top_p", { min: 0, max: 1 }),
    topK: number("top_k", { min: 0, max: 2 ** 31 - 1, whole: true }),
    minP: number("min_p", { min: 0, max: 1 }),
    repeatPenalty: number("repeat_penalty", { min: 0.01, max: 100 }),
    seed: seed(body),
    stop: stopTexts(body),
    logitBias: logitBias(body),
    format: format(body),
  });
}

/** The members that are not undefined. */
export function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  // What is left out was undefined, which every caller's type allows to be absent.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function maxTokens(body: Fields): number | undefined {
  const rule = { min: 0, max: 2 ** 31 - 1, whole: true };
  const older = optionalNumber(body["max_tokens"], "max_tokens", rule);
  const newer = optionalNumber(body["max_completion_tokens"], "max_completion_tokens", rule);
  if (older !== undefined && newer !== undefined && older !== newer) {
    throw badField("max_tokens", "max_tokens and max_completion_tokens say different things; leave max_tokens out");
  }
  return newer ?? older;
}

/** OpenAI takes every whole number, the engine those from 0 to 2 ** 32 - 2. */
function seed(body: Fields): number | undefined {
  const rule = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, whole: true };
  const given = optionalNumber(body["seed"], "seed", rule);
  const seeds = 2 ** 32 - 1;
  return given === undefined ? undefined : ((given % seeds) + seeds) % seeds;
}

function stopTexts({ stop }: Fields): string | readonly string[] | undefined {
  if (stop == null) return undefined;
  if (!Array.isArray(stop)) return requiredText(stop, "stop");
  return stop.map((text, index) => requiredText(text, `stop[${index}]`));
}

function logitBias({ logit_bias: given }: Fields): ReadonlyMap<number, number> | undefined {
  const biases = Object.entries(optionalRecord(given, "logit_bias") ?? {}).map(([id, bias]): [number, number] => {
    if (!/^\d{1,9}$/.test(id)) {
      throw badField("logit_bias", `logit_bias must have token ids as its keys, not ${JSON.stringify(id)}`);
    }
    return [Number(id), optionalNumber(bias, `logit_bias[${id}]`, { min: -100, max: 100 }) ?? 0];
  });
  return biases.length > 0 ? new Map(biases) : undefined;
}

function format({ response_format: given }: Fields): GenerateOptions["format"] | undefined {
  const wanted = optionalRecord(given, "response_format");
  if (!wanted || wanted["type"] === "text") return undefined;
  if (wanted["type"] === "json_object") return { type: "json" };
  if (wanted["type"] !== "json_schema") {
    throw badField(
      "response_format.type",
      `response_format.type must be "text", "json_object" or "json_schema", not ${kindOf(wanted["type"])}`,
    );
  }
  const { json_schema: named } = wanted;
  const schema = isRecord(named) ? named["schema"] : undefined;
  if (isRecord(schema)) return { type: "json", schema };
  throw badField("response_format.json_schema.schema", "response_format.json_schema.schema must be a JSON schema");
}

/** Tokens of thought at most; "high" and what is above leave it to the model. */
const budgets: Readonly<Record<string, number>> = {
  minimal: 128,
  low: 512,
  medium: 2048,
  high: Infinity,
  xhigh: Infinity,
  max: Infinity,
};

/**
 * How to think: `reasoning_effort` as OpenAI has it, or `thinking` as `{ type: "enabled" | "disabled" | "auto",
 * budget_tokens }`, or the switch `chat_template_kwargs.enable_thinking`. One of them at most.
 */
export function reasoningOptions(body: Fields): ReasoningOptions | undefined {
  const given = ["reasoning_effort", "thinking", "chat_template_kwargs"].filter((name) => body[name] != null);
  const [first, second] = given;
  if (second !== undefined) throw badField(second, `${String(first)} and ${second} both say how to think; send one`);
  if (first === "reasoning_effort") return effort(body["reasoning_effort"]);
  if (first === "thinking") return thinking(optionalRecord(body["thinking"], "thinking") ?? {});
  return first === undefined ? undefined : templateSwitch(optionalRecord(body[first], first) ?? {});
}

function effort(value: unknown): ReasoningOptions {
  const word = optionalText(value, "reasoning_effort") ?? "";
  if (word === "none") return { mode: "off" };
  const budget = Object.hasOwn(budgets, word) ? budgets[word] : undefined;
  if (budget !== undefined) return { budget };
  const words = ["none", ...Object.keys(budgets)].join(", ");
  throw badField("reasoning_effort", `reasoning_effort must be one of ${words}, not ${kindOf(value)}`);
}

function thinking({ type, budget_tokens: tokens }: Fields): ReasoningOptions {
  if (type === "disabled") return { mode: "off" };
  if (type !== "enabled" && type !== "auto") {
    throw badField("thinking.type", `thinking.type must be "enabled", "disabled" or "auto", not ${kindOf(type)}`);
  }
  const budget = optionalNumber(tokens, "thinking.budget_tokens", { min: 0, max: 2 ** 31 - 1, whole: true });
  return { mode: type === "enabled" ? "force" : "auto", ...(budget === undefined ? {} : { budget }) };
}

function templateSwitch(switches: Fields): ReasoningOptions {
  const { enable_thinking: isOn, ...others } = switches;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const param = `chat_template_kwargs.${unknown}`;
    throw badField(param, `${param} is not supported but enable_thinking is; leave it out`);
  }
  return isOn === false ? { mode: "off" } : {};
}

/** Tools, and who may call them. */
export function toolOptions(body: Fields): GenerateOptions {
  const tools = optionalList(body["tools"], "tools")?.map(readTool);
  return defined({
    tools: tools && tools.length > 0 ? tools : undefined,
    toolChoice: toolChoice(body["tool_choice"]),
  });
}

function readTool(tool: unknown, index: number): NonNullable<GenerateOptions["tools"]>[number] {
  const where = `tools[${index}]`;
  if (!isRecord(tool) || tool["type"] !== "function" || !isRecord(tool["function"])) {
    throw badField(where, `${where} must be { type: "function", function: { name, … } }`);
  }
  const { name, description, parameters } = tool["function"];
  const told = optionalText(description, `${where}.function.description`);
  return {
    name: requiredText(name, `${where}.function.name`),
    ...(told === undefined ? {} : { description: told }),
    parameters: optionalRecord(parameters, `${where}.function.parameters`) ?? { type: "object", properties: {} },
  };
}

/** What can't be had in this version, the library refuses itself. */
function toolChoice(choice: unknown): GenerateOptions["toolChoice"] | undefined {
  if (choice == null) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (isRecord(choice) && choice["type"] === "function" && isRecord(choice["function"])) {
    return { name: requiredText(choice["function"]["name"], "tool_choice.function.name") };
  }
  throw badField(
    "tool_choice",
    'tool_choice must be "auto", "none", "required" or { type: "function", function: { name } }',
  );
}
