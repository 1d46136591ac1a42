import type { Command } from "commander";
import { Option } from "commander";
import { collect, decimal, isRemote, orWord, parseModel, wholeNumber } from "./parse.ts";
import type { GenerateOptions, LoadOptions, ModelSource, ReasoningOptions, SamplingOptions } from "./sdk.ts";

export interface ModelFlags {
  model?: ModelSource;
  threads?: number | "auto";
  context?: number | "auto";
  extend?: "off" | "auto";
  /** Default: true. */
  store?: boolean;
}

export interface GenerationFlags extends SamplingOptions {
  system?: string;
  stop?: readonly string[];
  think?: NonNullable<ReasoningOptions["mode"]>;
  budget?: number;
  minimum?: number;
}

export interface OutputFlags {
  hideThoughts?: boolean;
  json?: boolean;
  quiet?: boolean;
}

export type Flags = ModelFlags & GenerationFlags & OutputFlags;

const tokens = wholeNumber({ min: 0 });
const unit = decimal({ min: 0, max: 1 });

/** `--model`, and how it is loaded. */
export function addModelFlags(command: Command): Command {
  return command
    .optionsGroup("Model:")
    .option(
      "-m, --model <source>",
      "path, URL or hf:owner/repo[:quant] (default: the bundled ruminate-nano)",
      parseModel,
    )
    .option(
      "--threads <n>",
      "threads to compute with, or auto",
      orWord(wholeNumber({ min: 1, max: 256 }), "auto", "auto"),
    )
    .option("--context <tokens>", "context size, or auto", orWord(wholeNumber({ min: 1 }), "auto", "auto"))
    .addOption(
      new Option("--extend <how>", "past the trained context: YaRN when needed, or never").choices(["auto", "off"]),
    )
    .option("--no-store", "do not keep what a URL or hf: brings; the next run fetches it again");
}

/** What is asked of the model. */
export function addGenerationFlags(command: Command): Command {
  return command
    .optionsGroup("Reasoning:")
    .option("-s, --system <text>", "system prompt")
    .addOption(
      new Option(
        "--think <mode>",
        "force: think first; off: answer at once; auto: as the model's template does",
      ).choices(["auto", "force", "off"]),
    )
    .option("--budget <tokens>", "think at most so long, or unlimited", orWord(tokens, "unlimited", Infinity))
    .option("--minimum <tokens>", "think at least so long", tokens)
    .optionsGroup("Sampling (default: what the model recommends):")
    .option("-n, --max-tokens <n>", "thoughts and answer together", tokens)
    .option("-t, --temperature <x>", "0 always takes the likeliest token", decimal({ min: 0, max: 100 }))
    .option("--top-p <x>", "the likeliest tokens that make up this share", unit)
    .option("--top-k <n>", "the n likeliest tokens; 0: all", tokens)
    .option("--min-p <x>", "tokens at least this likely, next to the likeliest", unit)
    .option("--seed <n>", "the same seed gives the same answer", wholeNumber({ min: 0, max: 2 ** 32 - 2 }))
    .option("--repeat-penalty <x>", "1: none", decimal({ min: 0.01, max: 100 }))
    .option("--stop <text>", "end before this text; may be given several times", collect);
}

/** How the output looks. */
export function addOutputFlags(command: Command): Command {
  return command
    .optionsGroup("Output:")
    .option("--hide-thoughts", "the answer only")
    .option("--json", "one JSON object a line for each part; the last one holds the result")
    .option("-q, --quiet", "no progress bar, no statistics");
}

/** The flags that say how a model is loaded, in the SDK's words. */
export function toLoadOptions({ model, threads, context, extend, store = true }: ModelFlags): LoadOptions {
  const window = { ...(context === undefined ? {} : { size: context }), ...(extend ? { extend } : {}) };
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(store && isRemote(model) ? { store: "auto" as const } : {}),
    ...(Object.keys(window).length > 0 ? { context: window } : {}),
  };
}

/** The flags that say what is generated, in the SDK's words; absent ones stay absent, so that the model's defaults hold. */
export function toGenerateOptions(flags: GenerationFlags): GenerateOptions {
  const { think: mode, budget, minimum } = flags;
  const sampling = pick(flags, ["maxTokens", "temperature", "topP", "topK", "minP", "seed", "repeatPenalty", "stop"]);
  const reasoning: ReasoningOptions = {
    ...(mode ? { mode } : {}),
    ...(budget === undefined ? {} : { budget }),
    ...(minimum === undefined ? {} : { minimum }),
  };
  return { ...sampling, ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}) };
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  const entries = names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]);
  // The entries are those of T under the names asked for; what is left out is optional in every T used here.
  return Object.fromEntries(entries) as Pick<T, K>;
}
