// A completion server takes a prompt as one text and finds special tokens in all of it. So what is content must not spell
// any: inside such a token a zero-width space is put, which no reader sees and no tokenizer reads over.
import { InferenceError } from "../../errors.ts";
import type { PromptSegment } from "../../prompt/segment.ts";
import { specialPattern } from "../prompt-tokens.ts";

const breaker = "\u200B";

/** What special tokens look like where nobody says which there are: in angle brackets with bars, or of well-known names. */
const usualShapes =
  /<[|｜][^<>\n]{1,60}?[|｜]>|\[g?s?MASK\]|\[\/?(?:INST|CLS|SEP|PAD|UNK)\]|<\/?(?:s|sop|eop|bos|eos|pad|unk|mask|think)>|<(?:start|end)_of_(?:turn|image)>/g;

/** Makes one text of prompts, for a server that has a vocabulary of which only the special tokens are known, or not even they. */
export class RemotePrompts {
  readonly #texts: ReadonlyMap<number, string>;
  readonly #pattern: RegExp;

  /** @param controlTokens Texts with their ids; empty: unknown. */
  constructor(controlTokens: ReadonlyMap<string, number>) {
    this.#texts = new Map([...controlTokens].map(([text, id]) => [id, text]));
    this.#pattern = specialPattern(controlTokens.keys()) ?? usualShapes;
  }

  /**
   * @returns A text, or token ids where the prompt is nothing else.
   * @throws {InferenceError} `unsupported` if ids other than those of known special tokens stand among texts
   */
  write(segments: readonly PromptSegment[]): string | number[] {
    const some = segments.filter((segment) => segment.kind === "tokens" || segment.text !== "");
    if (some.length > 0 && some.every((segment) => segment.kind === "tokens")) {
      return some.flatMap(({ ids }) => [...ids]);
    }
    let text = "";
    // For each unit of the text, whether somebody else than the template wrote it.
    const foreign: boolean[] = [];
    for (const segment of some) {
      const part = segment.kind === "tokens" ? this.#spell(segment.ids) : segment.text.toWellFormed();
      for (let at = 0; at < part.length; at += 1) foreign.push(segment.kind === "content");
      text += part;
    }
    return this.#broken(text, foreign);
  }

  #broken(text: string, foreign: readonly boolean[]): string {
    let result = "";
    let from = 0;
    for (;;) {
      this.#pattern.lastIndex = from;
      const found = this.#pattern.exec(text);
      if (!found) return result + text.slice(from);
      const end = found.index + found[0].length;
      const at = foreign.indexOf(true, found.index);
      if (at === -1 || at >= end) {
        result += text.slice(from, end);
        from = end;
        continue;
      }
      // What a template began stays whole, else its first character. From there the search goes on: another may begin within.
      const cut = Math.max(at, found.index + 1);
      result += text.slice(from, cut) + (cut < end ? breaker : "");
      from = cut;
    }
  }

  #spell(ids: Uint32Array): string {
    return Array.from(ids, (id) => {
      const text = this.#texts.get(id);
      if (text !== undefined) return text;
      throw new InferenceError(
        "unsupported",
        `Cannot put token ${id} into a prompt of text: the server takes ids alone, or text with special tokens`,
        { details: { id } },
      );
    }).join("");
  }
}
