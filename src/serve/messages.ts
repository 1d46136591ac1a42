import type { Message, ToolCall } from "../index.ts";
import { badField } from "./errors.ts";
import { isRecord, kindOf, optionalList, optionalText, requiredText } from "./fields.ts";
import type { Fields } from "./fields.ts";

/**
 * The conversation that a request brings, in the library's words.
 *
 * @throws {Refusal} 400, naming the message by its index
 */
export function readMessages(body: Fields): Message[] {
  const messages = optionalList(body["messages"], "messages") ?? [];
  if (messages.length === 0) throw badField("messages", "messages must be an array of at least one message");
  return messages.map((message, index) => readMessage(message, `messages[${index}]`));
}

function readMessage(message: unknown, where: string): Message {
  if (!isRecord(message)) throw badField(where, `${where} must be an object, not ${kindOf(message)}`);
  const { role } = message;
  const content = readContent(message["content"], `${where}.content`);
  const present = (): string => {
    if (content !== undefined) return content;
    throw badField(`${where}.content`, `${where}.content must be a string or an array of text parts`);
  };
  switch (role) {
    case "system":
    case "developer":
      return { role: "system", content: present() };
    case "user":
      return { role, content: present() };
    case "tool":
      return {
        role,
        content: present(),
        toolCallId: requiredText(message["tool_call_id"], `${where}.tool_call_id`),
      };
    case "assistant":
      return readAssistant(message, content ?? "", where);
    default:
      throw badField(
        `${where}.role`,
        `${where}.role must be system, developer, user, assistant or tool, not ${kindOf(role)}`,
      );
  }
}

function readAssistant(message: Fields, content: string, where: string): Message {
  if (message["function_call"] != null) {
    throw badField(`${where}.function_call`, `${where}.function_call is not supported; use tool_calls`);
  }
  const reasoning = optionalText(message["reasoning_content"], `${where}.reasoning_content`);
  const calls = optionalList(message["tool_calls"], `${where}.tool_calls`) ?? [];
  return {
    role: "assistant",
    content,
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(calls.length === 0
      ? {}
      : { toolCalls: calls.map((call, index) => readCall(call, `${where}.tool_calls[${index}]`)) }),
  };
}

function readCall(call: unknown, where: string): ToolCall {
  if (!isRecord(call) || !isRecord(call["function"])) {
    throw badField(where, `${where} must be { id, type: "function", function: { name, arguments } }`);
  }
  const { name, arguments: text } = call["function"];
  return {
    id: requiredText(call["id"], `${where}.id`),
    name: requiredText(name, `${where}.function.name`),
    arguments: readArguments(text, `${where}.function.arguments`),
  };
}

function readArguments(value: unknown, where: string): unknown {
  const text = optionalText(value, where) ?? "";
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw badField(where, `${where} must be JSON in a string, not ${kindOf(text)}`);
  }
}

/** A text, or the texts of its parts on a line each; undefined if there is none. */
function readContent(content: unknown, where: string): string | undefined {
  if (content == null || typeof content === "string") return content ?? undefined;
  if (!Array.isArray(content)) {
    throw badField(where, `${where} must be a string or an array of text parts, not ${kindOf(content)}`);
  }
  return content
    .map((part: unknown, index) => {
      const { type, text } = isRecord(part) ? part : {};
      if (type === "text" && typeof text === "string") return text;
      const param = `${where}[${index}].type`;
      throw badField(param, `${param} must be "text", not ${kindOf(type)}: this server reads text only`);
    })
    .join("\n");
}
