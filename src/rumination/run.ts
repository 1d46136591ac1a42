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
  /** Tokens of a reply at which it is its own length, and not the context, that ends it. */
  readonly maxTokens: number;
}

/** The call by which a model with tools of its own says that it is done. */
const finish = "finish";

type Ended = RuminationResult["ended"];

/** Turns of the model, and what its calls come to, until it is done or a budget is spent; then the report. */
export async function* ruminationRun(plan: RuminationPlan, control: RunControl): AsyncGenerator<RuminationPart, void> {
  const { record, family } = plan;
  const run = { plan, control };
  for (;;) {
    let ended = whyConclude(plan, control);
    if (!ended) {
      const result = yield* turn(run, boundedStep(plan), false);
      if (result.finishReason === "abort") {
        yield* leave(plan, result);
        return;
      }
      const calls = result.message.toolCalls ?? [];
      const { problem } = parseToolCalls(result.text, family, [...plan.tools.values()]);
      const isText = calls.length === 0 && problem === undefined;
      if (isText && (result.text !== "" || result.finishReason !== "length")) {
        yield { type: "finish", result: record.result("model", result) };
        return;
      }
      const done = family.builtinTools.includes(finish) ? calls.find(({ name }) => name === finish) : undefined;
      if (done) {
        record.addFinish(result, done);
        yield* report(run, "model");
        return;
      }
      if (result.finishReason === "length") {
        // A thought or a call that was cut off leads nowhere.
        record.addCut(result);
        ended = "tokens";
      } else {
        record.add(result, calls, yield* runCalls(run, calls, problem));
        if (control.stopped.aborted) {
          yield* leave(plan);
          return;
        }
      }
    }
    if (ended) {
      askForReport(plan);
      yield* report(run, ended);
      return;
    }
  }
}

interface RunningPlan {
  readonly plan: RuminationPlan;
  readonly control: RunControl;
}

function whyConclude({ budget, record }: RuminationPlan, { answerNow }: RunControl): Ended | undefined {
  if (answerNow.aborted) return "user";
  if (record.steps.length >= budget.steps) return "steps";
  return record.tokens >= budget.tokens ? "tokens" : undefined;
}

/** Nobody listens any more: what there is, is the result. */
function* leave({ record }: RuminationPlan, cut?: Result): Generator<RuminationPart, void> {
  if (cut) record.addCut(cut);
  yield { type: "finish", result: record.result("abort") };
}

/** @param problem What is wrong with a call that could not be read. */
async function* runCalls(
  run: RunningPlan,
  calls: readonly ToolCall[],
  problem: string | undefined,
): AsyncGenerator<RuminationPart, ReadonlyMap<string, CallOutcome>> {
  const outcomes = new Map<string, CallOutcome>();
  const note = (outcome: CallOutcome): RuminationPart => {
    outcomes.set(outcome.id, outcome);
    return { type: "tool-result", id: outcome.id, result: outcome.result };
  };
  if (problem !== undefined) yield note(failedCall(`call_${crypto.randomUUID()}`, problem));
  for await (const outcome of outcomesOf(run, calls)) yield note(outcome);
  return outcomes;
}

/**
 * What the calls of a turn come to. Those that are not done when the run is left, or the answer is wanted now, fail.
 *
 * @throws `signal.reason` of the caller's signal
 */
async function* outcomesOf(
  { plan: { tools, options }, control }: RunningPlan,
  calls: readonly ToolCall[],
): AsyncGenerator<CallOutcome, void> {
  const left = new Set(calls.map(({ id }) => id));
  const stop = AbortSignal.any([control.stopped, control.answerNow, ...(options.signal ? [options.signal] : [])]);
  try {
    for await (const outcome of executeCalls(calls, tools, stop)) {
      left.delete(outcome.id);
      yield outcome;
    }
  } catch (error) {
    if (!stop.aborted || options.signal?.aborted) throw error;
    for (const id of left) yield failedCall(id, "It was not waited for: the answer is wanted now.");
  }
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

async function* report(run: RunningPlan, ended: Ended): AsyncGenerator<RuminationPart, void> {
  const { record, family, options } = run.plan;
  // The prompt stays what it was, which is cheap; a model that goes on calling all the same is told of no tools.
  let written = yield* turn(run, options, true);
  if (written.text === "" && written.finishReason === "tool-calls" && family.builtinTools.length === 0) {
    written = yield* turn(run, { ...options, toolChoice: "none" }, true);
  }
  yield { type: "finish", result: record.result(written.finishReason === "abort" ? "abort" : ended, written) };
}

/** The options of a step: its thoughts are bounded, not its reply, since a call that was begun is worth its end. */
function boundedStep({ record, options, budget }: RuminationPlan): GenerateOptions {
  if (!Number.isFinite(budget.tokens)) return options;
  const reasoning = reasoningOptions(options);
  const left = Math.max(0, budget.tokens - record.tokens);
  return { ...options, reasoning: { ...reasoning, budget: Math.min(reasoning.budget ?? Infinity, left) } };
}

/** One turn of the model. Where the context is full, before it or during it, it begins again without the oldest result. */
async function* turn(
  run: RunningPlan,
  options: GenerateOptions,
  final: boolean,
): AsyncGenerator<RuminationPart, Result> {
  const { record, maxTokens } = run.plan;
  for (;;) {
    yield { type: "step", step: record.steps.length + 1, final };
    try {
      const result = yield* chat(run, options);
      record.spend(result.usage);
      const isFull = result.finishReason === "length" && result.usage.text + result.usage.reasoning < maxTokens;
      if (!isFull || !record.forgetOldest()) return result;
    } catch (error) {
      if (!InferenceError.is(error, "context-full") || !record.forgetOldest()) throw error;
    }
  }
}

/** Left, or told to answer, the turn ends with what there is. */
async function* chat(
  { plan: { model, record }, control: { stopped, answerNow } }: RunningPlan,
  options: GenerateOptions,
): AsyncGenerator<RuminationPart, Result> {
  const generation = model.chat(record.messages, options);
  const onAnswerNow = (): void => generation.endReasoning();
  const onStopped = (): void => void generation[Symbol.asyncDispose]();
  if (answerNow.aborted) onAnswerNow();
  answerNow.addEventListener("abort", onAnswerNow, { once: true });
  stopped.addEventListener("abort", onStopped, { once: true });
  try {
    for await (const part of generation) if (part.type !== "finish") yield part;
    return await generation.result();
  } finally {
    answerNow.removeEventListener("abort", onAnswerNow);
    stopped.removeEventListener("abort", onStopped);
  }
}
