import type { CallOutcome } from "../api/execute-calls.ts";
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

  spend({ prompt, cached, text, reasoning }: Result["usage"]): void {
    const spent = this.#usage;
    this.#usage = {
      prompt: spent.prompt + prompt,
      cached: spent.cached + cached,
      text: spent.text + text,
      reasoning: spent.reasoning + reasoning,
    };
  }

  /** A turn and what its calls came to, which the model is told. */
  add({ message, text, reasoning }: Result, calls: readonly ToolCall[], outcomes: readonly CallOutcome[]): void {
    const of = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
    this.steps.push({ reasoning, text, calls: calls.map((call) => ({ call, result: of.get(call.id)?.result })) });
    // In the order of the calls; last, what is wrong with one that could not be read.
    const ids = new Set([...calls.map(({ id }) => id), ...of.keys()]);
    const told = [...ids].map((id): Message => ({ role: "tool", toolCallId: id, content: of.get(id)?.content ?? "" }));
    this.say(message, ...told);
  }

  addSource(source: Source): void {
    const key = (of: Source): string => of.url ?? JSON.stringify([of.tool, of.arguments]);
    if (!this.#sources.some((known) => key(known) === key(source))) this.#sources.push(source);
  }

  /** Leaves out the oldest result that is still there. @returns Whether there was one. */
  forgetOldest(): boolean {
    const oldest = this.#messages.findIndex(
      ({ role, content }) => role === "tool" && content.length > forgotten.length,
    );
    if (oldest === -1) return false;
    this.#messages = this.#messages.map((message, index) =>
      index === oldest ? { ...message, content: forgotten } : message,
    );
    return true;
  }

  /** @param report The turn that wrote it, whose tokens are spent already; none if there was no time for it. */
  result(ended: RuminationResult["ended"], report?: Result): RuminationResult {
    return {
      report: report?.text ?? "",
      sources: this.#sources,
      steps: this.steps,
      reasoning: this.steps
        .map(({ reasoning }) => reasoning)
        .filter((text) => text !== "")
        .join("\n\n"),
      ended,
      finishReason: report?.finishReason ?? "abort",
      messages: report ? [...this.#messages, report.message] : this.#messages,
      usage: this.#usage,
    };
  }
}
