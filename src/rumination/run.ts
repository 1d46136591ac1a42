import type { GenerateOptions, Model, Tool } from "../api/contract.ts";
import { type CallOutcome, executeCalls, failedCall } from "../api/execute-calls.ts";
import type { RunControl } from "../api/one-run.ts";
import { reasoningOptions } from "../api/options.ts";
import type { Result, ToolCall } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import type { Family } from "../prompt/family.ts";
import { parseToolCalls } from "../prompt/tool-calls.ts";
import type { RuminateOptions, RuminationPart, RuminationResult } from "./contract.ts";
import type { RuminationRecord } from "./record.ts";

/** What a run is made from. */
export interface RuminationPlan {
  readonly model: Model;
  readonly family: Family;
  readonly record: RuminationRecord;
  /** Those that are run, by name. */
  readonly tools: ReadonlyMap<string, Tool>;
  /** Those of each turn. */
  readonly options: GenerateOptions & Pick<RuminateOptions, "keepReasoning">;
  readonly budget: { readonly steps: number; readonly tokens: number };
  readonly conclusion: string;
}

/** The call by which a model with tools of its own says that it is done. */
const finish = "finish";

type Ended = RuminationResult["ended"];

/** Turns of the model, and what its calls come to, until it is done or a budget is spent; then the report. */
export async function* ruminationRun(plan: RuminationPlan, control: RunControl): AsyncGenerator<RuminationPart, void> {
  const { record, options, tools } = plan;
  const stop = AbortSignal.any([control.stopped, ...(options.signal ? [options.signal] : [])]);
  const run = { plan, control, stop };
  try {
    let ended: Ended | undefined;
    for (let step = 1; ; step++) {
      ended = whyConclude(plan, control, step);
      if (ended) break;
      yield { type: "step", step, final: false };
      const result = yield* turn(run, boundedStep(plan));
      const calls = result.message.toolCalls ?? [];
      const { problem } = parseToolCalls(result.text, plan.family, [...tools.values()]);
      if (calls.length === 0 && problem === undefined && (result.text !== "" || result.finishReason !== "length")) {
        yield { type: "finish", result: record.result("model", result) };
        return;
      }
      if (result.finishReason === "length") {
        // A thought or a call that was cut off leads nowhere.
        record.steps.push({ reasoning: result.reasoning, text: result.text, calls: [] });
        ended = "tokens";
        break;
      }
      if (plan.family.builtinTools.includes(finish) && calls.some(({ name }) => name === finish)) {
        record.add(result, [], []);
        yield* report(run, { step: step + 1, ended: "model" });
        return;
      }
      const outcomes: CallOutcome[] = problem === undefined ? [] : [failedCall(`call_${crypto.randomUUID()}`, problem)];
      for (const { id, result: told } of outcomes) yield { type: "tool-result", id, result: told };
      for await (const outcome of executeCalls(calls, tools, stop)) {
        outcomes.push(outcome);
        yield { type: "tool-result", id: outcome.id, result: outcome.result };
      }
      record.add(result, calls, outcomes);
    }
    askForReport(plan);
    yield* report(run, { step: record.steps.length + 1, ended });
  } catch (error) {
    if (!control.stopped.aborted || options.signal?.aborted) throw error;
    // Nobody listens any more: what there is, is the result.
    yield { type: "finish", result: record.result("abort") };
  }
}

interface RunningPlan {
  readonly plan: RuminationPlan;
  readonly control: RunControl;
  readonly stop: AbortSignal;
}

function whyConclude({ budget, record }: RuminationPlan, { answerNow }: RunControl, step: number): Ended | undefined {
  if (answerNow.aborted) return "user";
  if (step > budget.steps) return "steps";
  return record.tokens >= budget.tokens ? "tokens" : undefined;
}

/** Tells the model to come to an end: in its own way, where it has one. */
function askForReport({ family, record, conclusion }: RuminationPlan): void {
  if (family.builtinTools.includes(finish)) {
    const call: ToolCall = { id: `call_${crypto.randomUUID()}`, name: finish, arguments: {} };
    record.say({ role: "assistant", content: "", toolCalls: [call] });
  } else {
    record.say({ role: "user", content: conclusion });
  }
}

async function* report(
  run: RunningPlan,
  { step, ended }: { step: number; ended: Ended },
): AsyncGenerator<RuminationPart, void> {
  const { record, family } = run.plan;
  yield { type: "step", step, final: true };
  // The prompt stays what it was, which is cheap; a model that goes on calling all the same is told of no tools.
  let written = yield* turn(run, run.plan.options);
  if (written.text === "" && written.finishReason === "tool-calls" && family.builtinTools.length === 0) {
    written = yield* turn(run, { ...run.plan.options, toolChoice: "none" });
  }
  yield { type: "finish", result: record.result(ended, written) };
}

/** The options of a step: its thoughts are bounded, not its reply, since a call that was begun is worth its end. */
function boundedStep({ record, options, budget }: RuminationPlan): GenerateOptions {
  if (!Number.isFinite(budget.tokens)) return options;
  const reasoning = reasoningOptions(options);
  const left = Math.max(0, budget.tokens - record.tokens);
  return { ...options, reasoning: { ...reasoning, budget: Math.min(reasoning.budget ?? Infinity, left) } };
}

/** One turn of the model. Where the context is full, the oldest results are left out. */
async function* turn(run: RunningPlan, options: GenerateOptions): AsyncGenerator<RuminationPart, Result> {
  const { record } = run.plan;
  for (;;) {
    try {
      const result = yield* chat(run, options);
      record.spend(result.usage);
      return result;
    } catch (error) {
      if (!InferenceError.is(error, "context-full") || !record.forgetOldest()) throw error;
    }
  }
}

async function* chat(
  { plan, control, stop }: RunningPlan,
  options: GenerateOptions,
): AsyncGenerator<RuminationPart, Result> {
  const generation = plan.model.chat(plan.record.messages, { ...options, signal: stop });
  const onAnswerNow = (): void => generation.endReasoning();
  control.answerNow.addEventListener("abort", onAnswerNow, { once: true });
  try {
    for await (const part of generation) if (part.type !== "finish") yield part;
    return await generation.result();
  } finally {
    control.answerNow.removeEventListener("abort", onAnswerNow);
  }
}
