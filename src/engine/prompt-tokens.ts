// From a prompt's text to tokens, so that no text becomes a control token, and what is in the KV cache is found again.
import type { PromptSegment } from "../prompt/segment.ts";

/** A stretch of a prompt that is tokenized by itself. */
export interface PromptUnit {
  /** `special`: from a special token to a special token. `raw`: text in which none is looked for. */
  readonly kind: "special" | "raw" | "tokens";
  readonly text: string;
  readonly tokens: readonly number[];
  /** Of what the model said: for each token, how many UTF-16 units of `text` there are after it. */
  readonly ends?: readonly number[];
}

export interface Tokenizer {
  /** `special`: special tokens are found in the text. */
  tokenize(text: string, special: boolean): ArrayLike<number>;
}

type Unit = Omit<PromptUnit, "tokens" | "ends"> & { readonly ids?: Uint32Array };

/** A pattern of special tokens' texts, the longest first; undefined: there are none. */
export function specialPattern(texts: Iterable<string>): RegExp | undefined {
  const sorted = [...texts].filter((text) => text !== "").sort((a, b) => b.length - a.length);
  if (sorted.length === 0) return undefined;
  return new RegExp(sorted.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)).join("|"), "g");
}

/**
 * Cuts a prompt where special tokens begin and end, and nowhere else: the text between two of them is tokenized in one
 * piece, as the model's own tokenizer does with the whole, whether a template or a user wrote it.
 */
function splitPrompt(segments: readonly PromptSegment[], specials: RegExp | undefined): Unit[] {
  const units: Unit[] = [];
  const add = (kind: "special" | "raw", text: string): void => {
    if (text === "") return;
    const last = units.at(-1);
    if (last?.kind === kind) units[units.length - 1] = { kind, text: last.text + text };
    else units.push({ kind, text });
  };
  let control = "";
  const endControl = (): void => {
    const text = control;
    control = "";
    const matches = specials ? [...text.matchAll(specials)] : [];
    const first = matches[0];
    const last = matches.at(-1);
    if (!first || !last) return add("raw", text);
    const end = last.index + last[0].length;
    add("raw", text.slice(0, first.index));
    add("special", text.slice(first.index, end));
    add("raw", text.slice(end));
  };
  for (const segment of segments) {
    // Neighbours are one text: a token may be spelled across them.
    if (segment.kind === "control") {
      control += segment.text.toWellFormed();
      continue;
    }
    endControl();
    if (segment.kind === "content") add("raw", segment.text.toWellFormed());
    else if (segment.ids.length > 0) units.push({ kind: "tokens", text: segment.ids.join(" "), ids: segment.ids });
  }
  endControl();
  return units;
}

/**
 * Tokens of a prompt. Where it repeats what is in the cache, it gets the same tokens: what the model said as it said it,
 * not as a tokenizer would cut it.
 *
 * @param cached Units of what was evaluated last, with what was sampled after it.
 */
export function promptUnits(
  segments: readonly PromptSegment[],
  cached: readonly PromptUnit[],
  { tokenizer, specials }: { readonly tokenizer: Tokenizer; readonly specials: RegExp | undefined },
): PromptUnit[] {
  let at = 0;
  let same = true;
  return splitPrompt(segments, specials).map((unit) => {
    const { kind, text } = unit;
    if (kind === "tokens") {
      const known = same && cached[at]?.kind === "tokens" && cached[at]?.text === text;
      same = known;
      at += 1;
      return { kind, text, tokens: [...(unit.ids ?? [])] };
    }
    const tokenize = (part: string): number[] => Array.from(tokenizer.tokenize(part, kind === "special"));
    const found = same ? match(unit, cached, at) : undefined;
    if (!found) {
      same = false;
      return { kind, text, tokens: tokenize(text) };
    }
    at = found.next;
    same = found.length === text.length;
    const rest = text.slice(found.length);
    return { kind, text, tokens: rest === "" ? found.tokens : [...found.tokens, ...tokenize(rest)] };
  });
}

/** As much of a unit as the cache's units from `at` on spell, if its end is whole or was sampled. */
function match(
  { kind, text }: Unit,
  cached: readonly PromptUnit[],
  at: number,
): { tokens: number[]; length: number; next: number } | undefined {
  const tokens: number[] = [];
  let length = 0;
  let sampled = false;
  let next = at;
  for (; next < cached.length && length < text.length; next += 1) {
    const unit = cached[next];
    if (unit?.kind !== kind) break;
    if (text.startsWith(unit.text, length)) {
      for (const token of unit.tokens) tokens.push(token);
      length += unit.text.length;
      sampled = unit.ends !== undefined;
      continue;
    }
    if (!unit.ends) break;
    const shared = sharedTokens(unit, text.slice(length));
    for (const token of unit.tokens.slice(0, shared)) tokens.push(token);
    length += shared === 0 ? 0 : (unit.ends[shared - 1] ?? 0);
    sampled = true;
    break;
  }
  return length > 0 && (sampled || length === text.length) ? { tokens, length, next } : undefined;
}

/** How many of a sampled unit's tokens spell the beginning of a text. */
function sharedTokens(unit: PromptUnit, text: string): number {
  const { ends = [] } = unit;
  let shared = 0;
  while (shared < text.length && shared < unit.text.length && text[shared] === unit.text[shared]) shared += 1;
  const beyond = ends.findIndex((end) => end > shared);
  return beyond === -1 ? ends.length : beyond;
}

/** How many tokens two lists have in common at their beginning. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
