import type { LanguageModelV4CallOptions, SharedV4Warning } from "@ai-sdk/provider";
import { type GenerateOptions, type KeepReasoning, type Model, recommendedSampling, type Tool } from "../../index.ts";
import { mergeReasoning, readProviderOptions, type RuminateSettings } from "./provider-options.ts";

/** What `Model.chat()` is asked for. */
export type ChatOptions = GenerateOptions & { keepReasoning?: KeepReasoning };

type Effort = Exclude<NonNullable<LanguageModelV4CallOptions["reasoning"]>, "provider-default" | "none" | "max">;

/** How much of a reply each level of effort may spend on thoughts. */
const shareOfThoughts: Readonly<Record<Effort, number>> = {
  minimal: 1 / 16,
  low: 1 / 8,
  medium: 1 / 4,
  high: 1 / 2,
  xhigh: 3 / 4,
};

/** A call of the AI SDK as options of `Model.chat()`; what can't be done becomes a warning. */
export function toChatOptions(
  call: LanguageModelV4CallOptions,
  settings: RuminateSettings,
  info: Model["info"],
): { options: ChatOptions; warnings: SharedV4Warning[] } {
  const { options: own, warnings } = readProviderOptions(call.providerOptions?.["ruminate"]);
  const { keepReasoning, minP, repeatPenalty, grammar } = { ...settings, ...own };
  const reasoning = mergeReasoning(
    own.thinkingBudget ?? settings.thinkingBudget,
    own.reasoning,
    effortReasoning(call, info),
    settings.reasoning,
  );
  for (const name of ["presencePenalty", "frequencyPenalty"] as const) {
    // 0 asks for no penalty, which is what there is.
    if (call[name]) {
      warnings.push({
        type: "unsupported",
        feature: name,
        details: "providerOptions.ruminate.repeatPenalty makes repetition less likely.",
      });
    }
  }
  const { options: tools, warnings: toolWarnings } = toolOptions(call);
  warnings.push(...toolWarnings);
  return {
    options: {
      ...given({
        maxTokens: call.maxOutputTokens,
        temperature: call.temperature,
        topP: call.topP,
        topK: call.topK,
        seed: call.seed,
        signal: call.abortSignal,
        minP,
        repeatPenalty,
        keepReasoning,
        reasoning,
        format: format(call, grammar),
        stop: call.stopSequences,
      }),
      ...tools,
    },
    warnings,
  };
}

/** The options that have a value; the model's own checks take the rest. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  // The same keys and values, but those that are undefined.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function effortReasoning(
  { reasoning: effort, maxOutputTokens }: LanguageModelV4CallOptions,
  { metadata, contextTrained }: Model["info"],
): GenerateOptions["reasoning"] {
  if (effort === undefined || effort === "provider-default") return undefined;
  if (effort === "none") return "off";
  if (effort === "max") return "auto";
  const reply = maxOutputTokens ?? recommendedSampling(metadata).maxTokens ?? Math.floor(contextTrained / 2);
  return { budget: Math.floor(reply * shareOfThoughts[effort]) };
}

function format(
  { responseFormat }: LanguageModelV4CallOptions,
  grammar: string | undefined,
): GenerateOptions["format"] {
  if (responseFormat?.type === "json") {
    return { type: "json", ...(responseFormat.schema === undefined ? {} : { schema: responseFormat.schema }) };
  }
  return grammar === undefined ? undefined : { type: "gbnf", grammar };
}

function toolOptions({ tools = [], toolChoice, responseFormat }: LanguageModelV4CallOptions): {
  options: Pick<GenerateOptions, "tools" | "toolChoice">;
  warnings: SharedV4Warning[];
} {
  const warnings: SharedV4Warning[] = [];
  const offered: Tool[] = [];
  for (const tool of tools) {
    if (tool.type === "provider") {
      warnings.push({
        type: "unsupported",
        feature: `provider-defined tool ${tool.id}`,
        details: "The model has no tools of its own.",
      });
      continue;
    }
    if (tool.strict === true) {
      warnings.push({
        type: "unsupported",
        feature: `strict mode of the tool ${tool.name}`,
        details: "No schema binds what the model writes as a tool's input.",
      });
    }
    offered.push({
      name: tool.name,
      parameters: tool.inputSchema,
      ...(tool.description === undefined ? {} : { description: tool.description }),
    });
  }
  if (offered.length === 0) return { options: {}, warnings };
  if (toolChoice?.type === "none") return { options: { tools: offered, toolChoice: "none" }, warnings };
  if (responseFormat?.type === "json") {
    warnings.push({
      type: "unsupported",
      feature: "tools beside a JSON answer",
      details: "The JSON binds the whole answer, so that no call can be written; the model is told of no tools.",
    });
    return { options: {}, warnings };
  }
  if (toolChoice?.type === "required") return { options: { tools: offered, toolChoice: "required" }, warnings };
  if (toolChoice?.type !== "tool") return { options: { tools: offered }, warnings };
  return { options: { tools: offered, toolChoice: { name: toolChoice.toolName } }, warnings };
}
