import type { Message, ToolDefinition } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import { type Assembled, assemble } from "./assemble.ts";
import { type BoundedTemplate, compileTemplate } from "./bounded-template.ts";
import { createTextFinder } from "./control-tokens.ts";
import { detectFamily, type Family, repairTemplate } from "./family.ts";
import { chooseMarkers, type Markers } from "./markers.ts";
import { type MarkingMode, TextMarker } from "./marked-text.ts";
import { checkMessages, checkTools } from "./messages.ts";
import type { PromptSegment } from "./segment.ts";
import { templateMessages, templateTools } from "./template-messages.ts";

export interface PromptRendererOptions {
  /** The chat template of the GGUF, in jinja; `undefined` for a base model that has none. */
  readonly template: string | undefined;
  /** GGUF metadata; architecture, name, and the begin and end tokens are read. */
  readonly metadata: ReadonlyMap<string, unknown>;
  /** Texts of the vocabulary's control tokens. */
  readonly controlTokens: Iterable<string>;
  /** For templates that print the date. Without it they are told of none, and print the fixed date they have for that. */
  readonly now?: () => Date;
}

export interface RenderOptions {
  readonly tools?: readonly ToolDefinition[];
  /** Ends the prompt where the assistant's reply begins. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** Passed on as `enable_thinking`; a template that does not read it (`family.thinkingSwitch`) ignores it. */
  readonly thinking?: boolean;
}

/** Turns conversations into prompts through one model's template. */
export interface PromptRenderer {
  readonly family: Family;
  /**
   * Renders a conversation. Whatever a message or tool says, its text comes out as content or without a whole control
   * token in it, and the template's control text is the same for every content.
   *
   * @throws {TypeError} if a message or tool is not of its kind
   * @throws {InferenceError} `template` if there is no template, or it fails or refuses the conversation
   */
  render(messages: readonly Message[], options?: RenderOptions): PromptSegment[];
}

/** Makes a renderer. Nothing is parsed before the first `render`, so that a broken template does not stop raw completion. */
export function createPromptRenderer(options: PromptRendererOptions): PromptRenderer {
  const { template, metadata, controlTokens, now } = options;
  const family = detectFamily(metadata, template);
  const source = template === undefined ? undefined : repairTemplate(template);
  const findForbidden = createTextFinder([...controlTokens, family.tags.open, family.tags.close]);
  const specialTokens = namedTokens(metadata);
  let compiled: BoundedTemplate | undefined;

  const renderAs = (mode: MarkingMode, input: RenderInput): Assembled => {
    const { messages, markers, keepSystemInPlace, tools, addGenerationPrompt, thinking } = input;
    const marker = new TextMarker(markers, mode, findForbidden);
    compiled ??= compileTemplate(requireTemplate(source));
    const rendered = compiled.render(
      {
        ...specialTokens,
        messages: templateMessages(messages, { family, markers, marker, keepSystemInPlace }),
        tools: templateTools(tools, marker),
        documents: null,
        add_generation_prompt: addGenerationPrompt,
        ...(thinking === undefined ? {} : { enable_thinking: thinking, thinking }),
      },
      now ? { now: now() } : {},
    );
    return assemble(rendered, { markers, slots: marker.slots, ...(family.headers ? { headers: family.headers } : {}) });
  };

  return {
    family,
    render(messages, { tools = [], addGenerationPrompt = true, thinking } = {}) {
      checkMessages(messages);
      checkTools(tools);
      requireTemplate(source);
      const markers = chooseMarkers([source ?? "", ...messageTexts(messages), ...toolTexts(tools)]);
      const input = {
        messages,
        markers,
        tools,
        addGenerationPrompt,
        thinking,
        keepSystemInPlace: family.headers !== undefined,
      };
      return renderPieces(renderAs, input).pieces.map(({ kind, text }) => ({ kind, text }));
    },
  };
}

interface RenderInput {
  readonly messages: readonly Message[];
  readonly markers: Markers;
  readonly tools: readonly ToolDefinition[];
  readonly addGenerationPrompt: boolean;
  readonly thinking: boolean | undefined;
  readonly keepSystemInPlace: boolean;
}

/**
 * Renders with slots, and again with the texts themselves if the template does more with them than print them: it changed
 * a slot, or printed fewer texts than it does when it can read them. A template that looks for words in a text, as by
 * `replace` or `split`, finds none: that is what keeps a user's text whole where it would cut thoughts off.
 */
function renderPieces(renderAs: (mode: MarkingMode, input: RenderInput) => Assembled, input: RenderInput): Assembled {
  const slots = renderAs("slots", input);
  // This template writes its headers in another way: let it put system messages where it likes.
  if (slots.misplaced) return renderPieces(renderAs, { ...input, keepSystemInPlace: false });
  if (!slots.mangled && slots.missing === 0) return slots;
  const brackets = renderAs("brackets", input);
  if (!slots.mangled && brackets.printed <= slots.printed) return slots;
  return brackets.mangled ? renderAs("cuts", input) : brackets;
}

function requireTemplate(source: string | undefined): string {
  if (source !== undefined) return source;
  throw new InferenceError(
    "template",
    "Cannot render the conversation: this model has no chat template, as base models have none; " +
      "use model.generate(prompt) for raw completion, or load a chat model",
  );
}

/** Joins a prompt's text, for showing it. Token segments have no text and are left out. */
export function segmentsToText(segments: readonly PromptSegment[]): string {
  return segments.map((segment) => (segment.kind === "tokens" ? "" : segment.text)).join("");
}

/** The begin, end and other tokens that templates print by name. */
function namedTokens(metadata: ReadonlyMap<string, unknown>): Record<string, string> {
  const vocabulary = metadata.get("tokenizer.ggml.tokens");
  const named: Record<string, string> = {};
  for (const [name, key] of Object.entries({
    bos_token: "bos",
    eos_token: "eos",
    unk_token: "unknown",
    pad_token: "padding",
  })) {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
    const token: unknown = Array.isArray(vocabulary) && typeof id === "number" ? vocabulary[id] : undefined;
    if (typeof token === "string") named[name] = token;
  }
  return named;
}

// Only what is rendered: messages may have other fields, which were not checked.
function messageTexts(messages: readonly Message[]): string[] {
  return messages.flatMap((message) => {
    if (message.role !== "assistant")
      return texts([message.content, message.role === "tool" ? message.toolCallId : ""]);
    const calls = (message.toolCalls ?? []).map(({ id, name, arguments: given }) => [id, name, given]);
    return texts([message.content, message.reasoning, calls]);
  });
}

function toolTexts(tools: readonly ToolDefinition[]): string[] {
  return texts(tools.map(({ name, description, parameters }) => [name, description, parameters]));
}

/** Every text in plain data, keys too. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...texts(item)]);
}
