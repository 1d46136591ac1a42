import type { Part, Result, ToolCall } from "../contract.ts";
import type { PromptRenderer } from "../prompt/renderer.ts";
import { createToolCallGate } from "../prompt/tool-call-gate.ts";
import type { GenerateOptions } from "./contract.ts";
import type { RoundsSummary } from "./rounds.ts";

/** Collects a reply: what was thought, what was said, which tools it calls. */
export class Reply {
  readonly #gate: ReturnType<typeof createToolCallGate> | undefined;
  #reasoning = "";
  #text = "";
  readonly #calls: ToolCall[] = [];
  #unreadable: string | undefined;
  /** Whether the last part was a thought. */
  #isThinking = false;

  constructor(renderer: PromptRenderer, { tools = [], toolChoice }: GenerateOptions) {
    const { family } = renderer;
    // A template may offer tools of its own.
    const mayCall = toolChoice !== "none" && (tools.length > 0 || family.builtinTools.length > 0);
    if (mayCall) this.#gate = createToolCallGate(family, tools);
  }

  *take(part: Extract<Part, { type: "prefill" | "reasoning" | "text" }>): Generator<Part> {
    if (part.type === "reasoning") {
      this.#reasoning += part.text;
      this.#isThinking = true;
    }
    if (part.type === "text") yield* this.#say(part, this.#gate ? this.#gate.push(part.text) : part.text);
    else yield part;
  }

  /** After the end: what is wrong with a call that could not be read, in words for the model. */
  get unreadable(): string | undefined {
    return this.#unreadable;
  }

  *end(): Generator<Part> {
    if (!this.#gate) return;
    const { text, calls, problem } = this.#gate.end();
    this.#unreadable = problem;
    yield* this.#say({ type: "text", text }, text);
    for (const { name, arguments: values } of calls) {
      const call: ToolCall = { id: `call_${crypto.randomUUID()}`, name, arguments: values };
      this.#calls.push(call);
      yield { type: "tool-call", call };
    }
  }

  *#say(part: Extract<Part, { type: "text" }>, text: string): Generator<Part> {
    if (text === "") return;
    // In no result: it is there for those who print the parts one after the other.
    if (this.#isThinking) yield { type: "reasoning", text: "\n" };
    this.#isThinking = false;
    this.#text += text;
    yield { ...part, text };
  }

  result(
    summary: RoundsSummary | undefined,
    { startedAt, loadMs, finishReason }: { startedAt: number; loadMs: number; finishReason: "abort" | undefined },
  ): Result {
    const usage = summary?.usage ?? { prompt: 0, cached: 0, text: 0, reasoning: 0 };
    const decodeMs = summary?.decodeMs ?? 0;
    const tokens = usage.text + usage.reasoning;
    const ended = summary?.finishReason ?? "stop";
    return {
      text: this.#text,
      reasoning: this.#reasoning,
      message: {
        role: "assistant",
        content: this.#text,
        ...(this.#reasoning === "" ? {} : { reasoning: this.#reasoning }),
        ...(this.#calls.length === 0 ? {} : { toolCalls: this.#calls }),
      },
      finishReason: finishReason ?? (this.#calls.length > 0 ? "tool-calls" : ended),
      reasoningEnd: summary?.reasoningEnd ?? "none",
      usage,
      timings: {
        loadMs,
        prefillMs: summary?.prefillMs ?? 0,
        decodeMs,
        firstTokenMs: summary?.firstTokenAt === undefined ? 0 : summary.firstTokenAt - startedAt,
        tokensPerSecond: decodeMs > 0 ? (tokens / decodeMs) * 1000 : 0,
      },
    };
  }
}
