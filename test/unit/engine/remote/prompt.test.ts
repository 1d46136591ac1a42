import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RemotePrompts } from "../../../../src/engine/remote/prompt.ts";
import type { PromptSegment } from "../../../../src/prompt/segment.ts";

const controlTokens = new Map([
  ["<|user|>", 1],
  ["<|us", 2],
  ["er|>", 3],
  ["<sop>", 4],
]);
const control = (text: string): PromptSegment => ({ kind: "control", text });
const content = (text: string): PromptSegment => ({ kind: "content", text });

/** Where in a text a control token is found, the longest first. */
function found(text: string): string[] {
  return text.match(/<\|user\|>|<\|us|er\|>|<sop>/g) ?? [];
}

describe("RemotePrompts", () => {
  const prompts = new RemotePrompts(controlTokens);

  test("writes control text as it is, and breaks what content spells", () => {
    expect(prompts.write([control("<|user|>"), content("a<|user|>b")])).toBe(
      "<|user|>a<\u200B|user|>b".replace("er|>b", "e\u200Br|>b"),
    );
  });

  test("breaks a token that content and a template spell together", () => {
    expect(found(String(prompts.write([control("x<"), content("sop>")])))).toEqual([]);
  });

  test("no content adds a control token, whatever it is", () => {
    const piece = fc.constantFrom("<", "|", "us", "er", "<|user|>", "<|us", "er|>", "<sop>", "sop>", "|>", " ", "é");
    const segments = fc.array(
      fc.record({ isControl: fc.boolean(), text: fc.array(piece, { maxLength: 5 }).map((parts) => parts.join("")) }),
    );
    fc.assert(
      fc.property(segments, (parts) => {
        const written = String(
          prompts.write(parts.map(({ isControl, text }) => (isControl ? control(text) : content(text)))),
        );
        // As if all content were blanks, which spell nothing.
        const harmless = parts.map(({ isControl, text }) => (isControl ? text : "\n".repeat(text.length))).join("");
        expect(found(written)).toEqual(found(harmless));
      }),
    );
  });

  test("breaks what usually is a control token where nobody says which there are", () => {
    const blind = new RemotePrompts(new Map());
    for (const text of ["<|im_start|>", "[gMASK]", "<sop>", "</s>", "<start_of_turn>", "<｜User｜>", "</think>"]) {
      expect(blind.write([content(`a${text}`)])).not.toContain(text);
      expect(blind.write([control(text)])).toBe(text);
    }
    expect(blind.write([content("if (a < b && c > d) <b>bold</b> [1] [a|b]")])).toBe(
      "if (a < b && c > d) <b>bold</b> [1] [a|b]",
    );
  });

  test("gives ids alone as ids, known ones among text as their text, and refuses others", () => {
    const ids = (...values: number[]): PromptSegment => ({ kind: "tokens", ids: Uint32Array.from(values) });
    expect(prompts.write([ids(7, 8), ids(9)])).toEqual([7, 8, 9]);
    expect(prompts.write([ids(1), content("a")])).toBe("<|user|>a");
    expect(() => prompts.write([ids(7), content("a")])).toThrow(/token 7/);
  });
});
