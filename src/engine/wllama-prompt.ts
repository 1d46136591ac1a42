// wllama takes a prompt as one string and finds special tokens in all of it, in a user's text as well. So the
// vocabulary that it is given (see wllama-vocabulary.ts) spells each control token differently, with code points that
// no text may hold; a prompt is spelled the same way, in its control segments only. A user's `<|user|>` is then plain
// text to the module, and takes the tokens that plain text takes.
import { InferenceError } from "../errors.ts";
import type { PromptSegment } from "../prompt/segment.ts";

// Unicode sets 32 noncharacters aside (U+FDD0 to U+FDEF); each is three bytes long.
const firstNoncharacter = 0xfdd0;
const noncharacters = /[\uFDD0-\uFDEF]/g;
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/** What one control token is called instead; as many bytes of UTF-8 as its own text. */
export interface Alias {
  readonly id: number;
  readonly text: string;
  readonly alias: string;
}

/**
 * Gives every control token another spelling: no two are equal, none is the beginning of another, each holds a
 * noncharacter. Tokens of one or two bytes keep theirs: nothing fits, and none of them is a role.
 *
 * @param controlTokens Texts with their ids.
 */
export function createAliases(controlTokens: ReadonlyMap<string, number>): Alias[] {
  const used = new Map<number, number>();
  const aliases: Alias[] = [];
  for (const [text, id] of controlTokens) {
    const length = utf8Length(text);
    const index = used.get(length) ?? 0;
    const alias = spell(length, index);
    if (alias === undefined) continue;
    used.set(length, index + 1);
    aliases.push({ id, text, alias });
  }
  return aliases;
}

/**
 * A noncharacter, digits, and another noncharacter where there is room for it: so a shorter one is never the beginning
 * of a longer one. The shortest have first characters of their own.
 */
function spell(length: number, index: number): string | undefined {
  const [first, count] = length === 3 ? [0, 8] : length === 4 ? [8, 8] : length === 5 ? [16, 8] : [24, 8];
  if (length < 3) return undefined;
  const lead = noncharacter(first + (index % count));
  let rest = Math.floor(index / count);
  if (length < 6) return withDigits(lead, rest, length - 3);
  const last = noncharacter(rest % 32);
  rest = Math.floor(rest / 32);
  const middle = withDigits(lead, rest, length - 6);
  return middle === undefined ? undefined : middle + last;
}

function withDigits(lead: string, value: number, length: number): string | undefined {
  let text = "";
  let rest = value;
  for (let at = 0; at < length; at += 1) {
    text = (digits[rest % 64] ?? "") + text;
    rest = Math.floor(rest / 64);
  }
  return rest > 0 ? undefined : lead + text;
}

function noncharacter(index: number): string {
  return String.fromCharCode(firstNoncharacter + index);
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** Spells prompts with the aliases of one vocabulary. */
export class PromptSpeller {
  #byText = new Map<string, string>();
  #byId = new Map<number, string>();
  #pattern: RegExp | undefined;

  constructor(aliases: readonly Alias[]) {
    for (const { id, text, alias } of aliases) {
      this.#byText.set(text, alias);
      this.#byId.set(id, alias);
    }
    // The longest at each place, as the tokenizer itself looks for them.
    const texts = [...this.#byText.keys()].sort((a, b) => b.length - a.length);
    if (texts.length > 0) this.#pattern = new RegExp(texts.map(escapePattern).join("|"), "gu");
  }

  /**
   * @returns The prompt as the module is to read it.
   * @throws {InferenceError} `unsupported` if token ids are given that are not control tokens
   */
  spell(segments: readonly PromptSegment[]): string {
    let prompt = "";
    let control = "";
    for (const segment of segments) {
      // Neighbours are one text: a token may be spelled across them.
      if (segment.kind === "control") {
        control += segment.text;
        continue;
      }
      prompt += this.#spellControl(control);
      control = "";
      prompt += segment.kind === "content" ? plain(segment.text) : this.#spellIds(segment.ids);
    }
    return prompt + this.#spellControl(control);
  }

  #spellControl(text: string): string {
    const clean = plain(text);
    return this.#pattern ? clean.replace(this.#pattern, (token) => this.#byText.get(token) ?? token) : clean;
  }

  #spellIds(ids: Uint32Array): string {
    return Array.from(ids, (id) => {
      const alias = this.#byId.get(id);
      if (alias !== undefined) return alias;
      throw new InferenceError(
        "unsupported",
        `Cannot put token ${id} into a prompt: wllama takes text and control tokens, and this is neither`,
        { details: { id } },
      );
    }).join("");
  }
}

/** Text that can hold no alias, and nothing that JSON or UTF-8 would refuse. */
function plain(text: string): string {
  return text.toWellFormed().replace(noncharacters, "\uFFFD");
}

function escapePattern(text: string): string {
  return text.toWellFormed().replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
