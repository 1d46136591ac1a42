import type { JSONObject, SharedV4Warning } from "@ai-sdk/provider";
import type { GenerateOptions, KeepReasoning, ReasoningOptions } from "../../index.ts";

/** What the AI SDK has no setting for. A call gives it as `providerOptions: { ruminate: … }`. */
export interface RuminateProviderOptions {
  /** How to think, or only the mode; goes over the AI SDK's own `reasoning`. */
  reasoning?: ReasoningOptions | "auto" | "force" | "off";
  /** Tokens of thought at most; goes over a budget in `reasoning`. Whole number, 0 or more; default: no cap. */
  thinkingBudget?: number;
  /** Whose thoughts stay in the history; default "none". */
  keepReasoning?: KeepReasoning;
  /** Only tokens at least this likely, relative to the likeliest, 0 to 1; default: as the model recommends. */
  minP?: number;
  /** Above 1, the last 64 tokens are less likely to come again; 0.01 to 100; default 1: no effect. */
  repeatPenalty?: number;
  /** A GBNF grammar that binds the answer, not the thoughts. Where the answer is to be JSON, that binds it instead. */
  grammar?: string;
}

/** How a model is presented to the AI SDK; all options of a call are defaults here. */
export interface RuminateSettings extends RuminateProviderOptions {
  /** What results, logs and telemetry call the model; default: the name in its file, else its architecture. */
  modelId?: string;
}

type OptionName = keyof RuminateProviderOptions;
const names: Readonly<Record<OptionName, true>> = {
  reasoning: true,
  thinkingBudget: true,
  keepReasoning: true,
  minP: true,
  repeatPenalty: true,
  grammar: true,
};

/** The options of one call by name; what nothing reads becomes a warning. Their values are checked by the model. */
export function readProviderOptions(given: JSONObject | undefined): {
  options: RuminateProviderOptions;
  warnings: SharedV4Warning[];
} {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  const known = entries.filter(([name]) => Object.hasOwn(names, name));
  const warnings = entries
    .filter(([name]) => !Object.hasOwn(names, name))
    .map(([name]): SharedV4Warning => ({
      type: "unsupported",
      feature: `providerOptions.ruminate.${name}`,
      details: `The options are: ${Object.keys(names).join(", ")}.`,
    }));
  // Whoever calls is checked like a caller of the model itself: chat() refuses values that are not of their kind.
  return { options: Object.fromEntries(known) as RuminateProviderOptions, warnings };
}

/**
 * How to think, from what may say so; what comes first goes over what comes later, as a whole.
 *
 * @param budget Goes over a budget in any of them.
 */
export function mergeReasoning(
  budget: number | undefined,
  ...ways: readonly GenerateOptions["reasoning"][]
): ReasoningOptions | undefined {
  const way = ways.find((value) => value !== undefined);
  const options = typeof way === "string" ? { mode: way } : way;
  return budget === undefined ? options : { ...options, budget };
}
