import type { TextFinder } from "./control-tokens.ts";
import type { Markers } from "./markers.ts";

/** A stretch of prompt text. */
export interface Piece {
  readonly kind: "control" | "content";
  readonly text: string;
}

/** A text that stands in for a message while the template runs. */
export interface Slot {
  readonly name: string;
  readonly pieces: readonly Piece[];
}

/**
 * How message texts go through the template: `slots`, replaced by a name, so that no template can cut or change them;
 * `brackets`, as they are between two markers, for a template that changes what it prints; or `cuts`, with markers only
 * inside control tokens, for a template that takes a part of them by position. The last one is the weakest: no control
 * token that stands in a text gets through, but a template that prints two parts of texts with nothing between them could
 * make one of both.
 */
export type MarkingMode = "slots" | "brackets" | "cuts";

// What names of tools, keys and schema keywords look like. Templates compare them, so they go through unmarked.
const keyword = /^[\p{L}\p{N}_.$-]{0,64}$/u;

/** Marks the texts of one conversation, so that they can be told from the template's own after rendering. */
export class TextMarker {
  readonly slots: Slot[] = [];
  readonly #markers: Markers;
  readonly #mode: MarkingMode;
  readonly #findForbidden: TextFinder;

  /** @param findForbidden Finds control tokens and reasoning tags, which no caller's text may turn into. */
  constructor(markers: Markers, mode: MarkingMode, findForbidden: TextFinder) {
    this.#markers = markers;
    this.#mode = mode;
    this.#findForbidden = findForbidden;
  }

  /** A message's text. White space at its ends stays outside the marks, for templates that strip it. */
  message(pieces: readonly Piece[], { prefix = "" }: { prefix?: string } = {}): string {
    const text = pieces.map((piece) => piece.text).join("");
    const core = text.trim();
    if (core === "") return text + prefix;
    const start = text.indexOf(core);
    const inner = this.#stand(core, pieces);
    return text.slice(0, start) + prefix + inner + text.slice(start + core.length);
  }

  /** A name or other short text that templates may compare: left alone when it is plainly harmless. */
  label(text: string): string {
    return keyword.test(text) && this.#findForbidden(text).length === 0 ? text : this.#bracket(text);
  }

  /** Plain data, each text in it (keys too) a {@link label}. */
  data(value: unknown): unknown {
    if (typeof value === "string") return this.label(value);
    if (Array.isArray(value)) return value.map((item) => this.data(item));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [this.label(key), this.data(item)]));
  }

  #stand(core: string, pieces: readonly Piece[]): string {
    if (this.#mode === "slots") return this.#slot(core, trimPieces(pieces));
    return this.#mode === "brackets" ? this.#bracket(core) : this.#cut(core);
  }

  #slot(core: string, pieces: readonly Piece[]): string {
    const { slot, bits, witness } = this.#markers;
    const [zero, one] = bits;
    const index = this.slots.length.toString(2).replace(/[01]/g, (bit) => (bit === "1" ? one : zero));
    // The last one ends the index, so that no two names are alike however they are filled up.
    const name = witness + index + one;
    const room = Math.max(0, core.length - name.length - 2 * slot.length);
    const padded = name + zero.repeat(Math.floor(room / zero.length));
    this.slots.push({ name: padded, pieces });
    return slot + padded + slot;
  }

  #bracket(text: string): string {
    return this.#markers.open + this.#cut(text) + this.#markers.close;
  }

  #cut(text: string): string {
    let marked = "";
    let done = 0;
    for (const start of this.#findForbidden(text)) {
      // After the first character, which may be two units long.
      const at = start + String.fromCodePoint(text.codePointAt(start) ?? 0).length;
      marked += text.slice(done, at) + this.#markers.cut;
      done = at;
    }
    return marked + text.slice(done);
  }
}

function trimPieces(pieces: readonly Piece[]): Piece[] {
  const kept = pieces.filter(({ text }) => text !== "");
  while (kept[0]?.text.trim() === "") kept.shift();
  while (kept.at(-1)?.text.trim() === "") kept.pop();
  return kept.map(({ kind, text }, index) => {
    const start = index === 0 ? text.trimStart() : text;
    return { kind, text: index === kept.length - 1 ? start.trimEnd() : start };
  });
}
