import type { Message, ToolCall, ToolDefinition } from "../contract.ts";
import type { Family } from "./family.ts";
import type { Markers } from "./markers.ts";
import type { Piece, TextMarker } from "./marked-text.ts";
import { toPythonJson } from "./python-json.ts";

type AssistantMessage = Extract<Message, { role: "assistant" }>;
type TemplateMessage = Readonly<Record<string, unknown>>;

export interface MappingOptions {
  readonly family: Family;
  readonly markers: Markers;
  readonly marker: TextMarker;
  /** Lets a system message after others go through the template as a user message, so that it stays in place. */
  readonly keepSystemInPlace: boolean;
}

const content = (text: string): Piece[] => [{ kind: "content", text }];

/** A conversation in the shape that the family's template reads, its texts marked. */
export function templateMessages(messages: readonly Message[], options: MappingOptions): TemplateMessage[] {
  const { family, marker } = options;
  const firstTurn = messages.findIndex(({ role }) => role !== "system");
  const toolNames = new Map(
    messages
      .flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
      .map(({ id, name }) => [id, name]),
  );
  return messages.flatMap((message, index) => {
    switch (message.role) {
      case "assistant":
        return family.messageShape === "metadata"
          ? metadataMessages(message, options)
          : [openaiMessage(message, options)];
      case "tool": {
        // null passes checkMessages, and templates would print it or fail.
        const result = marker.message(content(message.content ?? ""));
        if (family.messageShape === "metadata") return [{ role: "observation", content: result }];
        const name = toolNames.get(message.toolCallId);
        const named = name === undefined ? {} : { name: marker.label(name) };
        return [{ role: "tool", content: result, tool_call_id: marker.label(message.toolCallId), ...named }];
      }
      default: {
        const late = options.keepSystemInPlace && message.role === "system" && firstTurn !== -1 && index > firstTurn;
        const prefix = late ? options.markers.system : "";
        return [{ role: late ? "user" : message.role, content: marker.message(content(message.content), { prefix }) }];
      }
    }
  });
}

/** Tool definitions in OpenAI's shape, which templates expect; `null` without any. */
export function templateTools(tools: readonly ToolDefinition[], marker: TextMarker): unknown {
  if (tools.length === 0) return null;
  return tools.map(({ name, description, parameters }) => ({
    type: "function",
    function: marker.data({ name, description: description ?? undefined, parameters }),
  }));
}

/** One message for the text, then one for each call: as the model wrote it, or its name in `metadata`, its arguments as text. */
function metadataMessages(message: AssistantMessage, { family, marker }: MappingOptions): TemplateMessage[] {
  const thoughts = thinkingBlock(message, family);
  const text = visibleText(message, family);
  const calls = message.toolCalls ?? [];
  const told: TemplateMessage[] = [];
  if (text.trim() !== "" || calls.length === 0) {
    told.push({ role: "assistant", content: marker.message([...thoughts, ...content(text)]) });
  } else if (thoughts.length > 0 && calls[0]) {
    // As the model wrote it: after the thoughts the call has no header of its own.
    const call = callText(calls[0], family);
    told.push({ role: "assistant", content: marker.message([...thoughts, ...content(call)]) });
  }
  const rest = told.length > 0 && text.trim() === "" ? calls.slice(1) : calls;
  const called = rest.map((call) =>
    family.callFormat === "json-object"
      ? { role: "assistant", content: marker.message(content(callText(call, family))) }
      : {
          role: "assistant",
          metadata: marker.label(call.name),
          content: marker.message(content(argumentsText(call))),
        },
  );
  return [...told, ...called];
}

/** A call as the model wrote it. */
function callText(call: ToolCall, { callFormat }: Family): string {
  if (callFormat === "name-line") return `${call.name}\n${argumentsText(call)}`;
  return toPythonJson({ name: call.name, arguments: parseArguments(call.arguments) ?? {} });
}

function openaiMessage(message: AssistantMessage, { family, marker }: MappingOptions): TemplateMessage {
  const { reasoning, toolCalls = [] } = message;
  const separate = family.reasoningIn === "reasoning_content";
  const thoughts = separate ? [] : thinkingBlock(message, family);
  return {
    role: "assistant",
    content: marker.message([...thoughts, ...content(visibleText(message, family))]),
    ...(separate && reasoning ? { reasoning_content: marker.message(content(reasoning)) } : {}),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map((call) => openaiCall(call, marker)) } : {}),
  };
}

function openaiCall(call: ToolCall, marker: TextMarker): unknown {
  return {
    id: marker.label(call.id),
    type: "function",
    function: { name: marker.label(call.name), arguments: marker.data(parseArguments(call.arguments) ?? {}) },
  };
}

/** Thoughts that the history kept, as the model wrote them. The template never sees the tags, so it cannot strip them. */
function thinkingBlock({ reasoning }: AssistantMessage, { tags }: Family): Piece[] {
  if (!reasoning) return [];
  return [
    { kind: "control", text: `${tags.open}\n` },
    { kind: "content", text: reasoning.trim() },
    { kind: "control", text: `\n${tags.close}\n` },
  ];
}

/** What the user saw of a reply: the text after the last closing tag, where thoughts were not split off yet. */
function visibleText({ content: text, reasoning }: AssistantMessage, { tags, thinks }: Family): string {
  const whole = text ?? "";
  if (!thinks || reasoning) return whole;
  const end = whole.lastIndexOf(tags.close);
  if (end !== -1) return whole.slice(end + tags.close.length).trim();
  return whole.trimStart().startsWith(tags.open) ? "" : whole;
}

function argumentsText(call: ToolCall): string {
  const parsed = parseArguments(call.arguments);
  return typeof parsed === "string" ? parsed : toPythonJson(parsed ?? {});
}

/** OpenAI's clients send arguments as JSON text; what does not parse stays as the model wrote it. */
function parseArguments(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null ? parsed : value;
  } catch {
    return value;
  }
}
