import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commonPrefix, promptUnits, specialPattern } from "../../../src/engine/prompt-tokens.ts";
import type { PromptUnit } from "../../../src/engine/prompt-tokens.ts";
import type { PromptSegment } from "../../../src/prompt/segment.ts";

const specials = specialPattern(["<|user|>", "<|assistant|>", "<|us"]);

/** A special token is its length plus 1000; other text goes two characters a token, so that cutting it elsewhere shows. */
const tokenizer = {
  tokenize(text: string, special: boolean): number[] {
    if (special) return [...text.matchAll(specials ?? /$^/g)].map(([token]) => 1000 + token.length);
    return (text.match(/..?/gsu) ?? []).map((pair) =>
      [...pair].reduce((sum, char) => sum * 997 + char.charCodeAt(0), 7),
    );
  },
};
const control = (text: string): PromptSegment => ({ kind: "control", text });
const content = (text: string): PromptSegment => ({ kind: "content", text });
const units = (segments: readonly PromptSegment[], cached: readonly PromptUnit[] = []): PromptUnit[] =>
  promptUnits(segments, cached, { tokenizer, specials });
const tokensOf = (list: readonly PromptUnit[]): number[] => list.flatMap((unit) => unit.tokens);
const said = (...pieces: readonly string[]): PromptUnit => ({
  kind: "raw",
  text: pieces.join(""),
  tokens: pieces.map((_, index) => 5000 + index),
  ends: pieces.map((_, index) => pieces.slice(0, index + 1).join("").length),
});

describe("promptUnits()", () => {
  test("finds special tokens in control text alone, the longest first", () => {
    expect(units([control("<|user|>\n"), content("<|user|>")]).map(({ kind, text }) => [kind, text])).toEqual([
      ["special", "<|user|>"],
      ["raw", "\n<|user|>"],
    ]);
  });

  test("tokenizes the text between two special tokens in one piece, whoever wrote it", () => {
    const [, raw] = units([control("<|user|>\n"), content("Hi"), control("!<|assistant|>")]);
    expect(raw?.text).toBe("\nHi!");
    expect(raw?.tokens).toEqual(tokenizer.tokenize("\nHi!", false));
  });

  test("finds a special token that two control segments spell together", () => {
    expect(units([control("<|us"), control("er|>")]).map(({ text }) => text)).toEqual(["<|user|>"]);
  });

  test("takes token ids as they are", () => {
    expect(tokensOf(units([{ kind: "tokens", ids: Uint32Array.of(3, 4) }]))).toEqual([3, 4]);
  });

  test("replaces what is no Unicode", () => {
    expect(units([content("a\ud800")])[0]?.text).toBe("a\ufffd");
  });

  test("keeps the tokens of what was said, where a prompt goes on from it", () => {
    const before = units([control("<|user|>"), content("Q"), control("<|assistant|>\n")]);
    const cached = [...before, said("one", " two", " thr", "ee")];
    const next = units(
      [control("<|user|>"), content("Q"), control("<|assistant|>\n"), content("one two three"), control("<|user|>")],
      cached,
    );
    expect(tokensOf(next).slice(0, -1)).toEqual(tokensOf(cached));
  });

  test("keeps the tokens of as much of what was said as a prompt repeats", () => {
    const before = units([control("<|assistant|>\n")]);
    const cached = [...before, said("one", " two", " three")];
    const next = units([control("<|assistant|>\n"), content("one two, more")], cached);
    expect(tokensOf(next)).toEqual([...tokensOf(before), 5000, 5001, ...tokenizer.tokenize(", more", false)]);
  });

  test("does not keep what the prompt itself had, where it goes on in another way", () => {
    const cached = units([content("abc")]);
    expect(tokensOf(units([content("abcd")], cached))).toEqual(tokenizer.tokenize("abcd", false));
  });

  test("spells the same text whatever is in the cache, and without a cache is the tokenizer's own", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "<|user|>", "<|us", "\n", "é", "😀"), maxLength: 8 });
    const segments = fc.array(fc.record({ kind: fc.constantFrom("control" as const, "content" as const), text }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(segments, segments, fc.array(text, { maxLength: 4 }), (first, second, pieces) => {
        const cached = [...units(first), said(...pieces)];
        const found = units([...first, content(pieces.join("")), ...second], cached);
        const fresh = units([...first, content(pieces.join("")), ...second]);
        expect(found.map(({ kind, text: spelled }) => [kind, spelled])).toEqual(
          fresh.map(({ kind, text: spelled }) => [kind, spelled]),
        );
        // What is not reused is tokenized as ever.
        expect(tokensOf(units([...first, ...second]))).toEqual(
          units([...first, ...second]).flatMap((unit) => tokenizer.tokenize(unit.text, unit.kind === "special")),
        );
      }),
    );
  });
});

test("commonPrefix() counts equal numbers at the beginning", () => {
  expect(commonPrefix([1, 2, 3], [1, 2, 4])).toBe(2);
  expect(commonPrefix([], [1])).toBe(0);
  expect(commonPrefix([1], [1])).toBe(1);
});
