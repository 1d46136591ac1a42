import { type CallOutcome, toolMessagesOf } from "../api/execute-calls.ts";
import { addUsage } from "../api/usage.ts";
import type { Message, Result, ToolCall } from "../contract.ts";
import type { RuminationResult, RuminationStep, Source } from "./contract.ts";

/** What stands in place of a result that the context had no more room for. */
const forgotten = "(no longer shown: the context is full)";

/** What a run has said, read and spent so far. */
export class RuminationRecord {
  readonly steps: RuminationStep[] = [];
  readonly #sources: Source[] = [];
  #messages: readonly Message[];
  #usage: Result["usage"] = { prompt: 0, cached: 0, text: 0, reasoning: 0 };

  constructor(question: readonly Message[]) {
    this.#messages = question;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Tokens that the model wrote. */
  get tokens(): number {
    return this.#usage.text + this.#usage.reasoning;
  }

  say(...messages: readonly Message[]): void {
    this.#messages = [...this.#messages, ...messages];
  }

  spend(usage: Result["usage"]): void {
    this.#usage = addUsage(this.#usage, usage);
  }

  /** A turn and what its calls came to, which the model is told. */
  add(result: Result, calls: readonly ToolCall[], outcomes: ReadonlyMap<string, CallOutcome>): void {
    this.#note(result, calls, outcomes);
    this.say(result.message, ...toolMessagesOf(calls, outcomes));
  }

  /** A turn whose one call says that the model is done: nothing answers it. */
  addFinish(result: Result, finish: ToolCall): void {
    this.#note(result, [finish], new Map());
    this.say({ ...result.message, toolCalls: [finish] });
  }

  /** A turn that led nowhere: the model is not reminded of it. */
  addCut(result: Result): void {
    this.#note(result, [], new Map());
  }

  #note({ text, reasoning }: Result, calls: readonly ToolCall[], outcomes: ReadonlyMap<string, CallOutcome>): void {
    this.steps.push({ reasoning, text, calls: calls.map((call) => ({ call, result: outcomes.get(call.id)?.result })) });
  }

  addSource(source: Source): void {
    const key = (of: Source): string => of.url ?? JSON.stringify([of.tool, of.arguments]);
    if (!this.#sources.some((known) => key(known) === key(source))) this.#sources.push(source);
  }

  /** Leaves out the oldest result that is still there. @returns Whether there was one. */
  forgetOldest(): boolean {
    const oldest = this.#messages.findIndex(
      // A caller's message may have null, as OpenAI's clients send it.
      ({ role, content }) => role === "tool" && (content ?? "").length > forgotten.length,
    );
    if (oldest === -1) return false;
    this.#messages = this.#messages.map((message, index) =>
      index === oldest ? { ...message, content: forgotten } : message,
    );
    return true;
  }

  /** @param report The turn that wrote it, whose tokens are spent already; none if there was no time for it. */
  result(ended: RuminationResult["ended"], report?: Result): RuminationResult {
    const { toolCalls: _, ...reply } = report?.message ?? { role: "assistant", content: "" };
    return {
      report: report?.text ?? "",
      // Copies: a tool that nobody waits for any more may still end.
      sources: [...this.#sources],
      steps: [...this.steps],
      reasoning: this.steps
        .map(({ reasoning }) => reasoning)
        .filter((text) => text !== "")
        .join("\n\n"),
      ended,
      finishReason: report?.finishReason ?? "abort",
      messages: report ? [...this.#messages, reply] : this.#messages,
      usage: this.#usage,
    };
  }
}
