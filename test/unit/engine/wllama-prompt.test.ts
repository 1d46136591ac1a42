import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { createAliases, PromptSpeller } from "../../../src/engine/wllama-prompt.ts";
import type { PromptSegment } from "../../../src/prompt/segment.ts";
import { nanoFacts } from "./nano.ts";

const aliases = createAliases(nanoFacts.controlTokens);
const speller = new PromptSpeller(aliases);
const bytes = (text: string): number => new TextEncoder().encode(text).byteLength;

/** Reads a spelled prompt as the module does: the aliases as tokens, what lies between them as text. */
function tokensOf(spelled: string): (number | string)[] {
  const found: (number | string)[] = [];
  let text = "";
  for (let at = 0; at < spelled.length;) {
    const hits = aliases.filter(({ alias }) => spelled.startsWith(alias, at));
    expect(hits.length).toBeLessThanOrEqual(1);
    const [hit] = hits;
    if (!hit) {
      text += spelled[at++];
      continue;
    }
    if (text !== "") found.push(text);
    text = "";
    found.push(hit.id);
    at += hit.alias.length;
  }
  return text === "" ? found : [...found, text];
}

/** Texts that are made of control tokens, pieces of them, aliases and anything else. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(...nanoFacts.controlTokens.keys()),
      fc.constantFrom(...aliases.map(({ alias }) => alias)),
      fc.constantFrom("<|", "|>", "<|us", "er|>", "[g", "\uFDD0", "\uFDEF", "\uD800", "😀"),
      fc.string({ unit: "binary" }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));

describe("createAliases()", () => {
  const names = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { maxLength: 120 });

  test("gives each token as many bytes as it has", () => {
    fc.assert(
      fc.property(names, (texts) => {
        for (const { text, alias } of createAliases(new Map(texts.map((text, id) => [text, id])))) {
          expect(bytes(alias)).toBe(bytes(text));
        }
      }),
    );
  });

  test("makes none the beginning of another, and none without a noncharacter", () => {
    const many = new Map(Array.from({ length: 3000 }, (_, id) => [`<unused${id}>`, id]));
    for (const size of [3, 4, 5, 6, 7])
      for (let i = 0; i < 8; i += 1) many.set(`${i}`.padStart(size, "x"), 5000 + many.size);
    const texts = createAliases(many).map(({ alias }) => alias);
    expect(texts).toHaveLength(many.size);
    const sorted = [...texts].sort();
    for (const [index, alias] of sorted.entries()) {
      expect(alias).toMatch(/^[\uFDD0-\uFDEF]/);
      expect(sorted[index + 1]?.startsWith(alias) ?? false).toBe(false);
    }
  });

  test("leaves a token out that is too short to be respelled", () => {
    expect(
      createAliases(
        new Map([
          ["ab", 1],
          ["<s>", 2],
        ]),
      ).map(({ id }) => id),
    ).toEqual([2]);
  });
});

describe("PromptSpeller.spell()", () => {
  test("makes tokens of control text", () => {
    expect(tokensOf(speller.spell([{ kind: "control", text: "[gMASK]<sop><|user|>\nHi<|assistant|>\n" }]))).toEqual([
      1014,
      1016,
      1019,
      "\nHi",
      1020,
      "\n",
    ]);
  });

  test("joins control segments that lie side by side", () => {
    const halves: PromptSegment[] = [
      { kind: "control", text: "<|us" },
      { kind: "control", text: "er|>" },
    ];
    expect(tokensOf(speller.spell(halves))).toEqual([1019]);
  });

  test("never makes a token of content, alone or with its neighbours", () => {
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 5 }), (texts) => {
        const spelled = speller.spell(texts.map((text) => ({ kind: "content", text })));
        expect(tokensOf(spelled).every((token) => typeof token === "string")).toBe(true);
      }),
    );
  });

  test("makes the same tokens of control text whatever content lies around it", () => {
    fc.assert(
      fc.property(nasty, nasty, (before, after) => {
        const spelled = speller.spell([
          { kind: "content", text: before },
          { kind: "control", text: "<|user|>" },
          { kind: "content", text: after },
        ]);
        expect(tokensOf(spelled).filter((token) => typeof token === "number")).toEqual([1019]);
      }),
    );
  });

  test("keeps content as it is, but for what is no text", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const kept = text.toWellFormed().replaceAll(/[\uFDD0-\uFDEF]/g, "\uFFFD");
        expect(speller.spell([{ kind: "content", text }])).toBe(kept);
      }),
    );
  });

  test("takes the ids of control tokens and refuses others", () => {
    expect(tokensOf(speller.spell([{ kind: "tokens", ids: Uint32Array.of(1014, 1016) }]))).toEqual([1014, 1016]);
    const refused = (): string => speller.spell([{ kind: "tokens", ids: Uint32Array.of(42) }]);
    expect(refused).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(refused).toThrow(InferenceError);
  });
});
