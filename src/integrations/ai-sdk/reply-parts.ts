import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import type { Part, Result } from "../../index.ts";

/** Turns what a run streams into the AI SDK's stream parts: thoughts and text in blocks that begin and end. */
export class ReplyParts {
  #open: { readonly type: "reasoning" | "text"; readonly id: string } | undefined;
  #blocks = 0;
  /** Line breaks at the end of thoughts: they are not part of them where text follows. */
  #heldBreaks = "";

  *take(part: Part): Generator<LanguageModelV4StreamPart> {
    switch (part.type) {
      case "reasoning":
        if (part.text === "\n") this.#heldBreaks += part.text;
        else yield* this.#say("reasoning", this.#takeBreaks() + part.text);
        break;
      case "text":
        this.#heldBreaks = "";
        yield* this.#say("text", part.text);
        break;
      case "tool-call": {
        const { id, name } = part.call;
        const input = JSON.stringify(part.call.arguments);
        yield* this.#close();
        yield { type: "tool-input-start", id, toolName: name };
        yield { type: "tool-input-delta", id, delta: input };
        yield { type: "tool-input-end", id };
        yield { type: "tool-call", toolCallId: id, toolName: name, input };
        break;
      }
      case "finish":
        yield* this.#close();
        yield { type: "finish", ...finishOf(part.result) };
        break;
      default:
      // The AI SDK has no word for progress, and runs tools by itself.
    }
  }

  /** An empty block is never begun: some readers of streams fail on it. */
  *#say(type: "reasoning" | "text", delta: string): Generator<LanguageModelV4StreamPart> {
    if (delta === "") return;
    if (this.#open?.type !== type) {
      yield* this.#close();
      this.#open = { type, id: String(this.#blocks++) };
      yield { type: `${type}-start`, id: this.#open.id };
    }
    yield { type: `${type}-delta`, id: this.#open.id, delta };
  }

  *#close(): Generator<LanguageModelV4StreamPart> {
    if (this.#open) yield { type: `${this.#open.type}-end`, id: this.#open.id };
    this.#open = undefined;
  }

  #takeBreaks(): string {
    const breaks = this.#open?.type === "reasoning" ? this.#heldBreaks : "";
    this.#heldBreaks = "";
    return breaks;
  }
}

/** The whole of a reply, from its stream parts. */
export function contentOf(parts: readonly LanguageModelV4StreamPart[]): LanguageModelV4Content[] {
  const content: LanguageModelV4Content[] = [];
  let text = "";
  for (const part of parts) {
    if (part.type === "text-start" || part.type === "reasoning-start") text = "";
    else if (part.type === "text-delta" || part.type === "reasoning-delta") text += part.delta;
    else if (part.type === "text-end") content.push({ type: "text", text });
    else if (part.type === "reasoning-end") content.push({ type: "reasoning", text });
    else if (part.type === "tool-call") content.push(part);
  }
  return content;
}

/** How a run ended, in the AI SDK's words. */
export interface Finish {
  readonly finishReason: LanguageModelV4FinishReason;
  readonly usage: LanguageModelV4Usage;
  readonly providerMetadata?: SharedV4ProviderMetadata;
}

const unifiedReasons: Readonly<Record<Result["finishReason"], LanguageModelV4FinishReason["unified"]>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool-calls",
  abort: "other",
};

/** The end of a run that came to a result. */
export function finishOf({ finishReason, usage, reasoningEnd, timings }: Result): Finish {
  const { prompt, cached, text, reasoning } = usage;
  return {
    finishReason: { unified: unifiedReasons[finishReason], raw: finishReason },
    usage: {
      inputTokens: { total: prompt, noCache: prompt - cached, cacheRead: cached, cacheWrite: undefined },
      outputTokens: { total: text + reasoning, text, reasoning },
      raw: { ...usage },
    },
    providerMetadata: { ruminate: { reasoningEnd, timings: { ...timings } } },
  };
}

/** The end of a run that failed. */
export const failedFinish: Finish = {
  finishReason: { unified: "error", raw: undefined },
  usage: {
    inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: undefined, text: undefined, reasoning: undefined },
  },
};
