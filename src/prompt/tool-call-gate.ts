import type { ToolDefinition } from "../contract.ts";
import {
  type CallFamily,
  callOpen,
  nameLineCall,
  objectCallBegun,
  objectCallStart,
  offeredNames,
  type ParsedToolCalls,
  parseToolCalls,
} from "./tool-calls.ts";

/** Lets a streamed reply through, all but what is or may become a tool call. */
export interface ToolCallGate {
  /** Takes the next piece of visible text; returns what can be shown now. */
  push(piece: string): string;
  /** Takes the end of the reply; returns the calls, and the text that was held back and is none. */
  end(): ParsedToolCalls;
}

/**
 * Makes a gate for one reply. However the reply is cut into pieces, what it lets through and the text at its end together
 * are the text that {@link parseToolCalls} finds. Text that can't be a call is never held back.
 */
export function createToolCallGate(family: CallFamily, tools: readonly ToolDefinition[]): ToolCallGate {
  const names = offeredNames(family, tools);
  const releasable = names.length === 0 ? releaseAll : releasers[family.callFormat];
  let held = "";
  // Once a call began, everything waits for the end; once a reply began with text, name-line calls can't follow.
  let state: "open" | "watching" | "holding" = "watching";
  let isStart = true;
  return {
    push(piece) {
      held += piece;
      if (state === "holding") return "";
      const { length, next } =
        state === "open" ? { length: held.length, next: "open" as const } : releasable(held, names, isStart);
      const text = held.slice(0, length);
      isStart &&= text === "";
      held = held.slice(length);
      state = next;
      return text;
    },
    end() {
      if (state === "open") return { text: "", calls: [] };
      return parseToolCalls(held, family, tools);
    },
  };
}

interface Release {
  /** Characters that can be shown. */
  readonly length: number;
  readonly next: "open" | "watching" | "holding";
}

/** `isStart`: nothing of the reply was shown yet. */
type Releaser = (held: string, names: readonly string[], isStart: boolean) => Release;

const releaseNameLine: Releaser = (held, names) => {
  if (nameLineCall(held, names)) return { length: 0, next: "holding" };
  const text = held.trimStart();
  const newline = text.indexOf("\n");
  const line = newline === -1 ? text : text.slice(0, newline);
  const possible =
    newline === -1
      ? names.some((name) => name.startsWith(line) || (line.startsWith(name) && line.trimEnd() === name))
      : names.includes(line.trim()) && text.slice(newline).trim() === "";
  return possible ? { length: 0, next: "watching" } : releaseAll(held, names, true);
};

const releaseAll: Releaser = (held) => ({ length: held.length, next: "open" });

const releasers: Readonly<Record<CallFamily["callFormat"], Releaser>> = {
  none: releaseAll,
  "name-line": releaseNameLine,
  "json-object": (held, names, isStart) => {
    const named = isStart ? releaseNameLine(held, names, isStart) : undefined;
    if (named && named.next !== "open") return named;
    const start = objectCallStart(held, isStart);
    if (start !== undefined) return { length: held.slice(0, start).trimEnd().length, next: "holding" };
    const begun = held.length - objectCallBegun(held, isStart);
    return { length: held.slice(0, begun).trimEnd().length, next: "watching" };
  },
  "tool-call-tags": (held) => {
    const start = held.indexOf(callOpen);
    if (start !== -1) return { length: held.slice(0, start).trimEnd().length, next: "holding" };
    let begun = Math.min(callOpen.length - 1, held.length);
    while (!callOpen.startsWith(held.slice(held.length - begun))) begun--;
    return { length: held.slice(0, held.length - begun).trimEnd().length, next: "watching" };
  },
};
