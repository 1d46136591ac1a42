import type { Message } from "../contract.ts";
import type { PromptRenderer } from "../prompt/renderer.ts";
import { segmentsToText } from "../prompt/renderer.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import type { ReasoningTags } from "../reasoning/index.ts";
import { pruneHistory, startThinking } from "../reasoning/index.ts";
import type { GenerateOptions, SessionOptions } from "./contract.ts";
import { reasoningOptions } from "./options.ts";

/** A prompt, and whether its reply begins inside a thinking block. */
export interface Prepared {
  readonly prompt: readonly PromptSegment[];
  readonly open: boolean;
}

/** What a prompt is made by. */
export type PromptOptions = Pick<GenerateOptions, "reasoning" | "tools" | "toolChoice"> &
  Pick<SessionOptions, "keepReasoning">;

/**
 * The prompt of a conversation.
 *
 * @throws {TypeError} if a message or tool is not of its kind
 * @throws {InferenceError} `template`
 */
export function chatPrompt(renderer: PromptRenderer, messages: readonly Message[], options: PromptOptions): Prepared {
  const { mode = "auto" } = reasoningOptions(options);
  const tools = options.toolChoice === "none" ? [] : (options.tools ?? []);
  const pruned = pruneHistory(messages, { keepReasoning: options.keepReasoning ?? "none" });
  const segments = renderer.render(pruned, { thinking: mode !== "off", ...(tools.length > 0 ? { tools } : {}) });
  const text = segmentsToText(segments);
  const tags = tagsOf(renderer, options);
  const auto = startThinking(text, mode, tags);
  // A template that opened the block lacks the line break that the model was trained with.
  return { prompt: extend(segments, auto.open ? startThinking(text, "force", tags) : auto), open: auto.open };
}

/**
 * A conversation without the beginning of a reply: what the prompt of its next turn will begin with. Empty where a template
 * writes a conversation in another way while it goes on.
 *
 * @throws {InferenceError} `template`
 */
export function conversationPrompt(
  renderer: PromptRenderer,
  messages: readonly Message[],
  options: PromptOptions,
): readonly PromptSegment[] {
  const { mode = "auto" } = reasoningOptions(options);
  const tools = options.toolChoice === "none" ? [] : (options.tools ?? []);
  const pruned = pruneHistory(messages, { keepReasoning: options.keepReasoning ?? "none" });
  return renderer.render(pruned, {
    addGenerationPrompt: false,
    thinking: mode !== "off",
    ...(tools.length > 0 ? { tools } : {}),
  });
}

/** A raw prompt: left as it is in mode "auto", else with a thinking block opened or closed at its end. */
export function rawPrompt(
  renderer: PromptRenderer,
  prompt: readonly PromptSegment[],
  options: PromptOptions,
): Prepared {
  const { mode = "auto" } = reasoningOptions(options);
  const start = startThinking(segmentsToText(prompt), mode, tagsOf(renderer, options));
  return { prompt: extend(prompt, start), open: start.open };
}

/** The tags of a request: the caller's, else the family's. */
export function tagsOf(renderer: PromptRenderer, options: PromptOptions): ReasoningTags {
  return reasoningOptions(options).tags ?? renderer.family.tags;
}

function extend(prompt: readonly PromptSegment[], { append }: { append: string }): readonly PromptSegment[] {
  return append === "" ? prompt : [...prompt, { kind: "control", text: append }];
}
