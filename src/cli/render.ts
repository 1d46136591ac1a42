import { printable } from "./format.ts";
import type { Part, Result } from "./sdk.ts";

/** Text for one of the two streams. */
export interface Chunk {
  readonly to: "out" | "err";
  readonly text: string;
}

/** Turns the parts of one run into text. */
export interface Renderer {
  render(part: Part): Chunk[];
  /** What completes the output, also of a run that was stopped. */
  end(): Chunk[];
}

/** What a stream can show. */
export interface Surface {
  readonly isTTY: boolean;
  readonly color: boolean;
}

/**
 * `out`, `err`: where the answer and what goes beside it end up. Thoughts join the answer where `out` is a terminal, else
 * they go to `err`, so that a redirected `out` holds the answer alone. `raw`: text is not trimmed, nothing is added to it.
 */
export interface TextOptions {
  readonly out: Surface;
  readonly err: Surface;
  readonly hideThoughts?: boolean;
  readonly raw?: boolean;
}

/** Whether colour is wanted: FORCE_COLOR, then NO_COLOR, then whether it is a terminal that knows it. */
export function wantsColor(isTTY: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  const { FORCE_COLOR: force, NO_COLOR: never, TERM: terminal } = environment;
  if (force !== undefined) return force !== "0" && force !== "false";
  if (never) return false;
  return isTTY && terminal !== "dumb";
}

/** Dimmed text. Each call closes what it opens, so that a run which is cut leaves the terminal as it was. */
export function dim(text: string, { color }: { color: boolean }): string {
  return color && text !== "" ? `\u001b[2m${text}\u001b[22m` : text;
}

/** Plain answer, thoughts dimmed (or, where a terminal has no colour, behind a bar). */
export function textRenderer({ out, err, hideThoughts = false, raw = false }: TextOptions): Renderer {
  const inline = out.isTTY;
  const beside = inline ? out : err;
  let section: "none" | "reasoning" | "text" = "none";
  /** White space that is shown only if more text follows. */
  let held = "";
  let lastCharacter = "";

  const thought = (text: string): string => {
    if (beside.color || !beside.isTTY) return dim(text, beside);
    return (lastCharacter === "" ? "| " : "") + text.replaceAll("\n", "\n| ");
  };
  const trimmed = (text: string): string => {
    const joined = lastCharacter === "" ? text.trimStart() : held + text;
    const shown = joined.trimEnd();
    held = joined.slice(shown.length);
    return shown;
  };
  const enter = (next: "reasoning" | "text"): Chunk[] => {
    const before = lastCharacter === "" ? "none" : section;
    section = next;
    held = "";
    lastCharacter = "";
    if (before === "none") return [];
    if (inline) return [{ to: "out", text: "\n\n" }];
    return [{ to: before === "reasoning" ? "err" : "out", text: "\n" }];
  };

  return {
    render(part) {
      if (part.type !== "reasoning" && part.type !== "text") return [];
      if (part.type === "reasoning" && hideThoughts) return [];
      const chunks: Chunk[] = [];
      // White space alone opens no section, so that an empty thinking block leaves no gap.
      if (part.type !== section && (raw || part.text.trim() !== "")) chunks.push(...enter(part.type));
      if (part.type !== section) return [];
      const surface = part.type === "text" ? out : beside;
      const safe = surface.isTTY ? printable(part.text) : part.text;
      const text = raw && part.type === "text" ? safe : trimmed(safe);
      if (text === "") return chunks;
      const shown = part.type === "reasoning" ? thought(text) : text;
      lastCharacter = text.slice(-1);
      chunks.push({ to: part.type === "reasoning" && !inline ? "err" : "out", text: shown });
      return chunks;
    },
    end() {
      const complete = lastCharacter === "" || lastCharacter === "\n" || (raw && section === "text" && !out.isTTY);
      const to = inline || section === "text" ? "out" : "err";
      lastCharacter = "";
      section = "none";
      return complete ? [] : [{ to, text: "\n" }];
    },
  };
}

/** One JSON object a line for every part. */
export function jsonRenderer({ hideThoughts = false }: { hideThoughts?: boolean } = {}): Renderer {
  return {
    render(part) {
      if (!hideThoughts) return [{ to: "out", text: `${JSON.stringify(part)}\n` }];
      if (part.type === "reasoning") return [];
      const shown = part.type === "finish" ? { type: "finish", result: withoutThoughts(part.result) } : part;
      return [{ to: "out", text: `${JSON.stringify(shown)}\n` }];
    },
    end: () => [],
  };
}

function withoutThoughts({ message, ...result }: Result): Result {
  const { reasoning: _hidden, ...kept } = message;
  return { ...result, reasoning: "", message: kept };
}
