import type { Message, ToolDefinition } from "../contract.ts";
import { maxValueDepth } from "./template-limits.ts";

/**
 * Checks a conversation before anything is done with it. `content: null` (as OpenAI's API writes an assistant message
 * that only calls tools) passes for assistant and tool messages and counts as empty.
 *
 * @throws {TypeError} naming the message by its index, and what is wrong with it
 */
export function checkMessages(messages: readonly Message[]): void {
  if (!Array.isArray(messages)) throw new TypeError(`messages must be an array, not ${describe(messages)}`);
  for (const [index, message] of messages.entries()) checkMessage(message, `messages[${index}]`);
}

/**
 * Checks tool definitions.
 *
 * @throws {TypeError} naming the tool by its index, and what is wrong with it
 */
export function checkTools(tools: readonly ToolDefinition[]): void {
  if (!Array.isArray(tools)) throw new TypeError(`tools must be an array, not ${describe(tools)}`);
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const where = `tools[${index}]`;
    if (!isRecord(tool)) throw new TypeError(`${where} must be an object, not ${describe(tool)}`);
    checkName(tool["name"], `${where}.name`);
    if (names.has(tool["name"]))
      throw new TypeError(`${where}.name is ${JSON.stringify(tool["name"])}, which an earlier tool has too`);
    names.add(tool["name"]);
    checkOptionalText(tool["description"], `${where}.description`);
    if (!isRecord(tool["parameters"])) {
      throw new TypeError(`${where}.parameters must be a JSON schema, not ${describe(tool["parameters"])}`);
    }
    checkPlain(tool["parameters"], `${where}.parameters`);
  }
}

function checkMessage(message: unknown, where: string): void {
  if (!isRecord(message)) throw new TypeError(`${where} must be an object, not ${describe(message)}`);
  const { role, content } = message;
  const roles = ["system", "user", "assistant", "tool"];
  if (typeof role !== "string" || !roles.includes(role)) {
    throw new TypeError(`${where}.role must be one of ${roles.join(", ")}, not ${describe(role)}`);
  }
  const empty = content === null || content === undefined;
  if (typeof content !== "string" && !(empty && (role === "assistant" || role === "tool"))) {
    throw new TypeError(`${where}.content must be a string, not ${describe(content)}`);
  }
  if (role === "tool") checkName(message["toolCallId"], `${where}.toolCallId`);
  if (role !== "assistant") return;
  checkOptionalText(message["reasoning"], `${where}.reasoning`);
  const calls = message["toolCalls"];
  if (calls === undefined || calls === null) return;
  if (!Array.isArray(calls)) throw new TypeError(`${where}.toolCalls must be an array, not ${describe(calls)}`);
  for (const [index, call] of calls.entries()) checkToolCall(call, `${where}.toolCalls[${index}]`);
}

function checkToolCall(call: unknown, where: string): void {
  if (!isRecord(call)) throw new TypeError(`${where} must be an object, not ${describe(call)}`);
  checkName(call["id"], `${where}.id`);
  checkName(call["name"], `${where}.name`);
  checkPlain(call["arguments"], `${where}.arguments`);
}

function checkName(value: unknown, where: string): asserts value is string {
  if (typeof value !== "string" || value === "")
    throw new TypeError(`${where} must be a non-empty string, not ${describe(value)}`);
}

function checkOptionalText(value: unknown, where: string): void {
  if (value !== undefined && value !== null && typeof value !== "string") {
    throw new TypeError(`${where} must be a string, not ${describe(value)}`);
  }
}

/** Data that JSON can print, and not deeper than templates may handle, which a cycle always is. */
function checkPlain(value: unknown, where: string, depth = 0): void {
  if (depth >= maxValueDepth)
    throw new TypeError(`${where} must be at most ${maxValueDepth} levels deep, and not contain itself`);
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`${where} must be data that JSON can hold, not ${describe(value)}`);
  }
  if (typeof value !== "object" || value === null) return;
  for (const item of Object.values(value)) checkPlain(item, where, depth + 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return value === "" ? "an empty string" : JSON.stringify(value.slice(0, 40));
  return typeof value === "object" ? "an object" : typeof value;
}
