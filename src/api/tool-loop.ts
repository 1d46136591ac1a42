import type { Message, Part, Result, ToolCall } from "../contract.ts";
import type { ChatRequest } from "./chat-request.ts";
import type { Tool } from "./contract.ts";
import { type CallOutcome, executeCalls, failedCall, toolMessagesOf } from "./execute-calls.ts";
import type { RunControl } from "./one-run.ts";
import { addUsage } from "./usage.ts";

/** Turns of one run at most, where the caller does not say. */
const usualSteps = 10;

export interface ToolLoopOptions {
  /** One turn of the model. */
  readonly turn: (request: ChatRequest) => AsyncGenerator<Part, void>;
  readonly control: RunControl;
  /** Aborts when the model is closed; its reason says so. */
  readonly closed: AbortSignal;
}

/**
 * A chat turn, and while the model calls tools that can be run: their results, and another turn. The engine is free while
 * tools run. The last `finish` is that of the last turn, with what all of them spent.
 */
export async function* runWithTools(
  request: ChatRequest,
  { turn, control, closed }: ToolLoopOptions,
): AsyncGenerator<Part, void> {
  const { maxSteps = usualSteps, signal } = request.options;
  const tools = runnableTools(request);
  const toolMessages: Message[] = [];
  let { messages, options } = request;
  let total: Result | undefined;
  for (let step = 1; ; step++) {
    let unreadable: string | undefined;
    let result: Result | undefined;
    const onOverflow = (kept: readonly Message[]): void => {
      messages = kept;
      request.onOverflow?.(kept);
    };
    const asked: ChatRequest = { ...request, messages, options, onOverflow, onUnreadable: (why) => (unreadable = why) };
    for await (const part of turn(asked)) {
      if (part.type === "finish") result = part.result;
      else yield part;
    }
    if (!result) return;
    total = total ? sum(total, result) : result;
    const whole = withToolMessages(total, toolMessages);
    const calls = callsToRun(result, { tools, unreadable });
    if (!calls || step >= maxSteps) {
      const { prompt, text, reasoning } = result.usage;
      request.onEnd?.({ messages: [...messages, result.message], contextTokens: prompt + text + reasoning });
      yield { type: "finish", result: whole };
      return;
    }
    const outcomes = new Map<string, CallOutcome>();
    const stop = AbortSignal.any([control.stopped, closed, ...(signal ? [signal] : [])]);
    try {
      if (unreadable !== undefined) {
        const outcome = failedCall(`call_${crypto.randomUUID()}`, unreadable);
        outcomes.set(outcome.id, outcome);
        yield { type: "tool-result", id: outcome.id, result: outcome.result };
      }
      for await (const outcome of executeCalls(calls, tools, stop)) {
        outcomes.set(outcome.id, outcome);
        yield { type: "tool-result", id: outcome.id, result: outcome.result };
      }
    } catch (error) {
      if (!control.stopped.aborted || signal?.aborted || closed.aborted) throw error;
      // Nobody listens any more: what there is, is the result.
      yield { type: "finish", result: { ...whole, finishReason: "abort" } };
      return;
    }
    const added = [result.message, ...toolMessagesOf(calls, outcomes)];
    toolMessages.push(...added);
    messages = [...messages, ...added];
    // Forced again, it would never come to an answer.
    options = { ...options, toolChoice: "auto" };
  }
}

/** The tools that can be run, by name. */
function runnableTools({ options: { tools = [], toolChoice } }: ChatRequest): ReadonlyMap<string, Tool> {
  if (toolChoice === "none") return new Map();
  return new Map(tools.filter(({ execute }) => execute).map((tool) => [tool.name, tool]));
}

/** The calls of a turn, where all can be run: it is run whole or handed over whole. Undefined where the turn is the last. */
function callsToRun(
  { message, finishReason }: Result,
  { tools, unreadable }: { tools: ReadonlyMap<string, Tool>; unreadable: string | undefined },
): readonly ToolCall[] | undefined {
  const { toolCalls = [] } = message;
  if (finishReason === "abort" || finishReason === "length" || tools.size === 0) return undefined;
  if (toolCalls.length === 0 && unreadable === undefined) return undefined;
  return toolCalls.every(({ name }) => tools.has(name)) ? toolCalls : undefined;
}

function withToolMessages(result: Result, toolMessages: readonly Message[]): Result {
  return toolMessages.length === 0 ? result : { ...result, toolMessages: [...toolMessages] };
}

/** The later turn, with what both spent. */
function sum(before: Result, result: Result): Result {
  const { usage, timings } = result;
  const decodeMs = before.timings.decodeMs + timings.decodeMs;
  const sums = addUsage(before.usage, usage);
  return {
    ...result,
    usage: sums,
    timings: {
      loadMs: timings.loadMs,
      prefillMs: before.timings.prefillMs + timings.prefillMs,
      decodeMs,
      firstTokenMs: before.timings.firstTokenMs,
      tokensPerSecond: decodeMs > 0 ? ((sums.text + sums.reasoning) / decodeMs) * 1000 : 0,
    },
  };
}
