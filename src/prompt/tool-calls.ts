import type { ToolDefinition } from "../contract.ts";
import type { Family } from "./family.ts";

/** A tool call as a model wrote it, before it has an id. */
export interface ParsedCall {
  readonly name: string;
  readonly arguments: unknown;
}

export interface ParsedToolCalls {
  /** What is left for the user: all but the calls that could be read. */
  readonly text: string;
  readonly calls: readonly ParsedCall[];
  /** What is wrong with a call that could not be read, in words for the model. */
  readonly problem?: string;
}

/** How a family calls tools, as far as reading goes. */
export type CallFamily = Pick<Family, "callFormat" | "builtinTools">;

/** The tag before a call in the `tool-call-tags` format. */
export const callOpen = "<tool_call>";
const callClose = "</tool_call>";

/**
 * Finds the tool calls in a finished reply.
 *
 * @param visibleText The reply without its thoughts.
 * @param tools The tools that were offered. Without any the text is returned as it is.
 */
export function parseToolCalls(
  visibleText: string,
  family: CallFamily,
  tools: readonly ToolDefinition[],
): ParsedToolCalls {
  const names = offeredNames(family, tools);
  if (names.length === 0) return { text: visibleText, calls: [] };
  return parsers[family.callFormat](visibleText, names);
}

/** The names that a reply may call. */
export function offeredNames({ builtinTools }: CallFamily, tools: readonly ToolDefinition[]): string[] {
  return [...new Set([...tools.map(({ name }) => name), ...builtinTools])];
}

/**
 * Where the JSON arguments start if the text begins with a tool's name on a line of its own and an opening brace, both
 * possibly after white space.
 */
export function nameLineCall(text: string, names: readonly string[]): { name: string; json: string } | undefined {
  const [, line, json] = /^\s*(\S[^\n]*)\n\s*(\{[^]*)$/.exec(text) ?? [];
  const name = line?.trim();
  return name !== undefined && json !== undefined && names.includes(name) ? { name, json } : undefined;
}

/**
 * Where an object that names a tool begins, alone on its line; undefined if there is none.
 *
 * @param isLine Whether the text begins a line.
 */
export function objectCallStart(text: string, isLine = true): number | undefined {
  const found = (isLine ? /(?:^|\n)[ \t]*(?=\{\s*"name"\s*:)/ : /\n[ \t]*(?=\{\s*"name"\s*:)/).exec(text);
  return found ? found.index + found[0].length : undefined;
}

/** How much of the end of a text may become the beginning of such an object, the line break before it included. */
export function objectCallBegun(text: string, isLine: boolean): number {
  const tail = /(^|\n)[ \t]*(?:\{\s*(?:"(?:n(?:a(?:m(?:e(?:"\s*)?)?)?)?)?)?)?$/.exec(text);
  return tail && (isLine || tail[1] !== "") ? tail[0].length : 0;
}

type Parser = (visibleText: string, names: readonly string[]) => ParsedToolCalls;

const parsers: Readonly<Record<CallFamily["callFormat"], Parser>> = {
  none: (text) => ({ text, calls: [] }),
  "name-line": parseNameLines,
  // Its template writes old calls with the name on a line of its own, so that the model may, too.
  "json-object": (text, names) => (nameLineCall(text, names) ? parseNameLines(text, names) : parseObjects(text, names)),
  "tool-call-tags": parseTags,
};

/** Objects one after another; text may come before the first of them. */
function parseObjects(visibleText: string, names: readonly string[]): ParsedToolCalls {
  const start = objectCallStart(visibleText);
  if (start === undefined) return { text: visibleText, calls: [] };
  const calls: ParsedCall[] = [];
  let text = visibleText.slice(0, start).trimEnd();
  let rest = visibleText.slice(start);
  while (objectCallStart(rest.trimStart()) === 0) {
    const read = readObject(rest.trimStart());
    const called = read && asCall(read.value);
    if (!read || !called) return { text: text + rest, calls, problem: badJson("a tool", rest) };
    if (!names.includes(called.name)) return { text: text + rest, calls, problem: unknownTool(called.name, names) };
    calls.push(called);
    rest = read.rest;
  }
  if (rest.trim() !== "") text += rest;
  return { text, calls };
}

function parseNameLines(visibleText: string, names: readonly string[]): ParsedToolCalls {
  const calls: ParsedCall[] = [];
  let rest = visibleText;
  for (let call = nameLineCall(rest, names); call; call = nameLineCall(rest, names)) {
    const read = readObject(call.json);
    if (!read) return { text: rest, calls, problem: badJson(call.name, call.json) };
    calls.push({ name: call.name, arguments: read.value });
    rest = read.rest.trim() === "" ? "" : read.rest;
  }
  return { text: rest, calls };
}

function parseTags(visibleText: string, names: readonly string[]): ParsedToolCalls {
  const start = visibleText.indexOf(callOpen);
  if (start === -1) return { text: visibleText, calls: [] };
  const calls: ParsedCall[] = [];
  const problems: string[] = [];
  let text = visibleText.slice(0, start).trimEnd();
  let rest = visibleText.slice(start);
  while (rest.startsWith(callOpen)) {
    const body = rest.slice(callOpen.length);
    const read = readObject(body.trimStart());
    // A call whose JSON cannot be read reaches to its closing tag.
    const end = body.indexOf(callClose);
    const called = read && asCall(read.value);
    const isKnown = called !== undefined && names.includes(called.name);
    if (!called) problems.push(badJson("a tool", end === -1 ? body : body.slice(0, end)));
    else if (!isKnown) problems.push(unknownTool(called.name, names));
    else calls.push(called);
    const after = read ? read.rest.trimStart() : end === -1 ? "" : body.slice(end);
    const unread = rest;
    rest = after.startsWith(callClose) ? after.slice(callClose.length) : after;
    if (!isKnown) text += unread.slice(0, unread.length - rest.length);
    const next = rest.indexOf(callOpen);
    text += (next === -1 ? rest : rest.slice(0, next)).trimEnd();
    rest = next === -1 ? "" : rest.slice(next);
  }
  return { text, calls, ...(problems.length > 0 ? { problem: problems.join(" ") } : {}) };
}

function asCall(value: unknown): ParsedCall | undefined {
  if (typeof value !== "object" || value === null || !("name" in value) || typeof value.name !== "string")
    return undefined;
  const given: unknown = "arguments" in value ? value.arguments : {};
  if (typeof given !== "string") return { name: value.name, arguments: given ?? {} };
  const read = readObject(given);
  return read && { name: value.name, arguments: read.value };
}

/** Reads the JSON object at the start of a text; undefined if there is none that ends and parses. */
function readObject(text: string): { value: unknown; rest: string } | undefined {
  const end = objectEnd(text);
  if (end === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(0, end));
    return { value, rest: text.slice(end) };
  } catch {
    return undefined;
  }
}

/** Index after the brace that closes the one at the start. */
function objectEnd(text: string): number | undefined {
  if (!text.startsWith("{")) return undefined;
  let depth = 0;
  for (const { 0: part, index } of text.matchAll(/"[^"\\]*(?:\\[^][^"\\]*)*"?|[{}]/g)) {
    if (part === "{") depth++;
    else if (part === "}" && --depth === 0) return index + 1;
  }
  return undefined;
}

const excerptLength = 200;

function badJson(name: string, text: string): string {
  const excerpt = text.length > excerptLength ? `${text.slice(0, excerptLength)}…` : text;
  return `The call of ${name} could not be read: its arguments must be one JSON object, and they were: ${excerpt.trim()}`;
}

function unknownTool(name: string, names: readonly string[]): string {
  return `There is no tool named ${name}; the tools are: ${names.join(", ")}.`;
}
