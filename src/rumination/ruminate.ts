import type { Model, Tool } from "../api/contract.ts";
import { OneRun } from "../api/one-run.ts";
import { checkGenerateOptions, checkNumber, type NumberRule } from "../api/options.ts";
import { ownMessages, ownOptions } from "../api/own-copies.ts";
import { recommendedSampling } from "../context/recommended-sampling.ts";
import type { Message } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import { detectFamily, type Family } from "../prompt/family.ts";
import type { RuminateOptions, Rumination, RuminationPart, RuminationResult, Source } from "./contract.ts";
import { libraryTools } from "./library-tools.ts";
import { notedTool } from "./noted-tool.ts";
import { RuminationRecord } from "./record.ts";
import { type RuminationPlan, ruminationRun } from "./run.ts";

/** Of the example on the model card of GLM-Z1-Rumination. */
const usualSteps = 35;
const usualPageLength = 12_000;
const anyCount: NumberRule = { min: 1, max: 2 ** 31 - 1, integer: true };
const usualConclusion = "No tool can be used any more. Answer now from what was found, and say what was not.";

/**
 * Long thinking: the model thinks, calls tools, reads their results and thinks on, until it is done or its budget is spent;
 * then it writes its report. GLM-Z1-Rumination does it with the four tools of its own template, served by `library`; any
 * other model that calls tools, with those or with your own.
 *
 * @param question A message of the user, or a conversation that ends in one.
 * @throws {TypeError | RangeError} if options are not of their kind
 * @throws {InferenceError} `unsupported` if the model's template knows no tools, or only its own
 *
 * @example
 * ```ts
 * const run = ruminate(model, "How do city A and city B differ?", { library: { search, open } });
 * for await (const part of run) if (part.type === "text") process.stdout.write(part.text);
 * const { sources } = await run.result();
 * ```
 */
export function ruminate(model: Model, question: string | readonly Message[], options: RuminateOptions): Rumination {
  const asked = ownMessages(typeof question === "string" ? [{ role: "user", content: question }] : question);
  const plan = makePlan(model, asked, options);
  return new RuminationOfModel((control) => ruminationRun(plan, control));
}

class RuminationOfModel
  extends OneRun<Exclude<RuminationPart, { type: "finish" }>, RuminationResult>
  implements Rumination
{
  conclude(): void {
    this.hurry();
  }
}

function makePlan(model: Model, asked: readonly Message[], options: RuminateOptions): RuminationPlan {
  if (typeof options !== "object" || options === null) throw new TypeError("The options must be an object");
  const { library, tools: ownTools, budget = {}, pageLength = usualPageLength, conclusion, ...rest } = options;
  if (asked.at(-1)?.role !== "user") throw new TypeError("The question must end in a message of the user");
  checkKinds(options);
  const family = familyOf(model);
  checkFits(family, options);
  const record = new RuminationRecord(asked);
  const onSource = (source: Omit<Source, "step">): void =>
    record.addSource({ step: record.steps.length + 1, ...source });
  const tools = library
    ? libraryTools(library, { pageLength, onSource })
    : (ownTools ?? []).map((tool) => notedTool(tool, onSource));
  // Handed over by each turn, run here. A template with tools of its own is told of none.
  const told = family.builtinTools.length > 0 ? [] : tools.map(({ execute: _, ...definition }) => definition);
  return {
    model,
    family,
    record,
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    options: ownOptions({ ...rest, tools: told }),
    budget: { steps: budget.steps ?? usualSteps, tokens: budget.tokens ?? Infinity },
    conclusion: conclusion ?? usualConclusion,
    // Where nobody says how long a reply may be, this is its bound.
    maxTokens: rest.maxTokens ?? recommendedSampling(model.info.metadata).maxTokens ?? Infinity,
  };
}

function familyOf({ info: { metadata } }: Model): Family {
  const template = metadata.get("tokenizer.chat_template");
  return detectFamily(metadata, typeof template === "string" ? template : "");
}

function checkKinds(options: RuminateOptions): void {
  const { library, tools, budget, pageLength, conclusion } = options;
  for (const name of ["toolChoice", "format", "maxSteps"]) {
    if (Reflect.get(options, name) !== undefined) {
      throw new TypeError(`${name} has no place in ruminate(), which decides by itself when tools are called`);
    }
  }
  if ((library === undefined) === (tools === undefined)) {
    throw new TypeError("Give ruminate() something to look into: library or tools, one of them");
  }
  if (library !== undefined && (typeof library?.search !== "function" || typeof library.open !== "function")) {
    throw new TypeError("library must have the functions search and open");
  }
  if (tools !== undefined) {
    checkGenerateOptions({ tools });
    if (tools.length === 0) throw new RangeError("tools is empty; at least one is wanted");
    const idle = tools.find(({ execute }: Tool) => !execute);
    if (idle) throw new TypeError(`The tool ${idle.name} has no execute; ruminate() runs every tool by itself`);
  }
  if (budget !== undefined && (typeof budget !== "object" || budget === null)) {
    throw new TypeError("budget must be an object with steps, tokens or both");
  }
  checkNumber("budget.steps", budget?.steps, { min: 1, max: 1000, integer: true });
  if (budget?.tokens !== Infinity) checkNumber("budget.tokens", budget?.tokens, anyCount);
  checkNumber("pageLength", pageLength, anyCount);
  if (conclusion !== undefined && (typeof conclusion !== "string" || conclusion.trim() === "")) {
    throw new TypeError("conclusion must be a text that is not blank");
  }
}

/** @throws {InferenceError} `unsupported` */
function checkFits({ builtinTools, callFormat }: Family, { tools }: RuminateOptions): void {
  if (callFormat === "none") {
    throw new InferenceError(
      "unsupported",
      "Cannot ruminate: the model's template shows no way of calling tools; use a model that calls tools",
    );
  }
  if (tools && builtinTools.length > 0) {
    throw new InferenceError(
      "unsupported",
      `Cannot ruminate with tools: the model's template has its own, ${builtinTools.join(", ")}; give library instead`,
    );
  }
}
