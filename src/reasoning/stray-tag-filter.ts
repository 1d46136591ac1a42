import type { SplitPart } from "./tag-scanner.ts";

/**
 * Drops one closing tag from an answer. A model whose thoughts were closed for it may not have noticed, think on for a
 * line, and then write the tag itself; it is none of the answer.
 */
export class StrayTagFilter {
  readonly #tag: string;
  #held = "";
  #isDone = false;

  constructor(tag: string) {
    this.#tag = tag;
  }

  /** Takes a stretch of the answer; holds back what may be the beginning of the tag. */
  push(text: string): SplitPart[] {
    if (this.#isDone) return asParts(text);
    const whole = this.#held + text;
    const at = whole.indexOf(this.#tag);
    if (at >= 0) {
      this.#isDone = true;
      this.#held = "";
      return asParts(whole.slice(0, at) + whole.slice(at + this.#tag.length));
    }
    let keep = Math.min(this.#tag.length - 1, whole.length);
    while (keep > 0 && !this.#tag.startsWith(whole.slice(whole.length - keep))) keep--;
    this.#held = whole.slice(whole.length - keep);
    return asParts(whole.slice(0, whole.length - keep));
  }

  /** What is held back, which is no tag. */
  flush(): SplitPart[] {
    const rest = this.#held;
    this.#held = "";
    return asParts(rest);
  }
}

function asParts(text: string): SplitPart[] {
  return text === "" ? [] : [{ type: "text", text }];
}
