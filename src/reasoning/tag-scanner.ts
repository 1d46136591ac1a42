import type { ReasoningTags } from "./tags.ts";

/** One stretch of a model's output. Never empty. */
export interface SplitPart {
  /** "reasoning": a thought. "text": what the user is meant to see. */
  readonly type: "reasoning" | "text";
  /** Without tags; a later block of thoughts begins with a line break. */
  readonly text: string;
}

/**
 * Finds thinking blocks in a text that arrives in pieces. docs/reasoning.md has its rules; everything that splits,
 * streams or counts thoughts stands on it.
 */
export class TagScanner {
  readonly #tags: ReasoningTags;
  readonly #mayClose: () => boolean;
  /** What was fed and not decided yet: line breaks before a possible tag, and the first part of one. */
  #held = "";
  #inside: boolean;
  /** Nothing but line breaks was seen since the last tag, or since the start. */
  #fresh = true;
  #sawTag: boolean;
  #closedBlocks = 0;
  #hasReasoned = false;
  #separate = false;

  /**
   * @param start.open Whether the prompt has opened a block already.
   * @param start.mayClose Asked at every closing tag; false leaves the block open and forgets the tag and what follows it.
   */
  constructor(tags: ReasoningTags, start: { open: boolean; mayClose?: () => boolean }) {
    this.#tags = tags;
    this.#inside = start.open;
    this.#sawTag = start.open;
    this.#mayClose = start.mayClose ?? (() => true);
  }

  get inside(): boolean {
    return this.#inside;
  }

  get closedBlocks(): number {
    return this.#closedBlocks;
  }

  /** Whether something is held back, which the next piece may make a tag. */
  get isHolding(): boolean {
    return this.#held !== "";
  }

  /**
   * Takes the next piece.
   *
   * @returns The parts that are certain now, and how many characters at the end of the input a refused closing tag cost.
   */
  push(piece: string): { parts: SplitPart[]; refused: number } {
    this.#held += piece;
    const parts: SplitPart[] = [];
    let refused = 0;
    for (;;) {
      const end = this.#fresh ? this.#start() : this.#continue(parts);
      if (end === undefined) continue;
      if (end < 0) break;
      if (!this.#mayClose()) {
        refused = this.#held.length - end;
        this.#held = this.#held.slice(0, end);
        break;
      }
      this.#held = this.#held.slice(end + this.#tags.close.length);
      this.close();
    }
    return { parts, refused };
  }

  /** Leaves the open block, as its closing tag does. */
  close(): void {
    this.#closedBlocks++;
    this.#enter(false);
  }

  /** Forgets the first part of a tag that is held back. Returns its length. */
  dropPartialTag(): number {
    const length = this.#partialTag();
    this.#held = this.#held.slice(0, this.#held.length - length);
    return length;
  }

  /** Gives out what is held back; inside a block that is a line break or half a tag, which nobody wants. */
  flush(): SplitPart[] {
    const text = this.#inside ? "" : this.#held;
    this.#held = "";
    return text ? [{ type: "text", text }] : [];
  }

  #enter(inside: boolean): void {
    this.#inside = inside;
    this.#fresh = true;
    this.#sawTag = true;
    this.#separate = inside && this.#hasReasoned;
  }

  /**
   * One step while nothing visible was seen since the last tag: a tag here opens, closes, or repeats what already holds.
   * Like `#continue`, it returns where a closing tag begins, -1 when it needs more input, undefined to go on.
   */
  #start(): number | undefined {
    const { open, close } = this.#tags;
    const lead = leadingBreaks(this.#held);
    const rest = this.#held.slice(lead);
    // Before the first tag, line breaks may turn out to be the start of a plain text.
    if (this.#sawTag) this.#held = rest;
    if (this.#inside && rest.startsWith(close)) return 0;
    for (const tag of [open, close]) {
      if (!rest.startsWith(tag)) continue;
      this.#held = rest.slice(tag.length);
      if (tag === open && !this.#inside) this.#enter(true);
      this.#sawTag = true;
      return undefined;
    }
    if (open.startsWith(rest) || close.startsWith(rest)) return -1;
    this.#fresh = false;
    return undefined;
  }

  #continue(parts: SplitPart[]): number | undefined {
    const held = this.#held;
    const tag = this.#inside ? this.#tags.close : this.#tags.open;
    const at = held.indexOf(tag);
    let end = at < 0 ? held.length - this.#partialTag() : at;
    if (this.#inside) end = withoutTrailingBreaks(held, end);
    if (end > 0) parts.push(this.#part(held.slice(0, end)));
    if (at < 0 || this.#inside) {
      this.#held = held.slice(end);
      return at < 0 ? -1 : at - end;
    }
    this.#held = held.slice(at + tag.length);
    this.#enter(true);
    return undefined;
  }

  #part(text: string): SplitPart {
    if (!this.#inside) return { type: "text", text };
    const separated = this.#separate ? `\n${text}` : text;
    this.#separate = false;
    this.#hasReasoned = true;
    return { type: "reasoning", text: separated };
  }

  /** Length of the longest end of what is held that a tag could begin with. */
  #partialTag(): number {
    const { open, close } = this.#tags;
    const tags = this.#fresh ? [open, close] : [this.#inside ? close : open];
    let longest = 0;
    for (const tag of tags) {
      for (let length = Math.min(tag.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(tag.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}

function leadingBreaks(text: string): number {
  let count = 0;
  while (text[count] === "\n" || text[count] === "\r") count++;
  return count;
}

function withoutTrailingBreaks(text: string, end: number): number {
  let last = end;
  while (text[last - 1] === "\n" || text[last - 1] === "\r") last--;
  return last;
}
