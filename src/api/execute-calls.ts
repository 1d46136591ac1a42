import type { Message, ToolCall } from "../contract.ts";
import { abortable } from "../waiting.ts";
import { schemaProblems } from "../prompt/json-schema.ts";
import type { Tool } from "./contract.ts";

/** What one call came to. */
export interface CallOutcome {
  readonly id: string;
  /** What the tool gave, or `{ error }`. */
  readonly result: unknown;
  /** What the model is told. */
  readonly content: string;
}

/**
 * Runs calls side by side, and gives their outcomes as they come. Whatever goes wrong with a call is its outcome, which the
 * model can act on.
 *
 * @param tools By name; a call without its tool here fails.
 * @throws `signal.reason` as soon as it is aborted, whatever the tools then do
 */
export async function* executeCalls(
  calls: readonly ToolCall[],
  tools: ReadonlyMap<string, Tool>,
  signal: AbortSignal,
): AsyncGenerator<CallOutcome, void> {
  signal.throwIfAborted();
  const pending = new Map(calls.map((call) => [call.id, executeCall(call, tools.get(call.name), signal)]));
  while (pending.size > 0) {
    const outcome = await abortable(Promise.race(pending.values()), signal);
    pending.delete(outcome.id);
    yield outcome;
  }
}

/** The outcome of a call that could not be run. */
export function failedCall(id: string, error: string): CallOutcome {
  return { id, result: { error }, content: JSON.stringify({ error }) };
}

/** What the model is told, in the order of the calls; last, what is wrong with calls that nobody could read. */
export function toolMessagesOf(calls: readonly ToolCall[], outcomes: ReadonlyMap<string, CallOutcome>): Message[] {
  const ids = new Set([...calls.map(({ id }) => id), ...outcomes.keys()]);
  return [...ids].map((id) => ({ role: "tool", toolCallId: id, content: outcomes.get(id)?.content ?? "" }));
}

/** Never rejects. */
async function executeCall(
  { id, name, arguments: given }: ToolCall,
  tool: Tool | undefined,
  signal: AbortSignal,
): Promise<CallOutcome> {
  if (!tool?.execute) return failedCall(id, `There is no tool named ${name} that can be run.`);
  try {
    const problems = schemaProblems(given, tool.parameters);
    if (problems.length > 0) {
      return failedCall(id, `The arguments of ${name} do not fit its schema: ${problems.join("; ")}.`);
    }
    // A copy: the call is part of the history, whatever the tool does with its arguments.
    const result: unknown = await tool.execute(structuredClone(given), { signal });
    return { id, result, content: asText(result) };
  } catch (error) {
    return failedCall(id, `${name} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function asText(result: unknown): string {
  if (typeof result === "string") return result;
  if (result === undefined) return "";
  const text: string | undefined = JSON.stringify(result);
  if (text === undefined) throw new TypeError(`its result is a ${typeof result}, which JSON can't hold`);
  return text;
}
