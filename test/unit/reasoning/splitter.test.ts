import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSplitter, splitReasoning } from "../../../src/reasoning/index.ts";
import type { ReasoningTags, SplitPart } from "../../../src/reasoning/index.ts";
import { cuts, outputs, tagPairs } from "./arbitraries.ts";

/** The rules of docs/reasoning.md once more, over the whole text instead of a stream. */
function oracle(text: string, tags: ReasoningTags, promptOpened: boolean): ReturnType<typeof splitReasoning> {
  const source = (tag: string): string => tag.replace(/[^a-z]/gi, "\\$&");
  const opens = new RegExp(`^(${source(tags.open)}[\\r\\n]*)+`);
  const closes = new RegExp(`^(${source(tags.close)}[\\r\\n]*)+`);
  const blocks: string[] = [];
  let rest = promptOpened ? tags.open + text : text;
  const unbroken = rest.replace(/^[\r\n]+/, "");
  if (opens.test(unbroken) || closes.test(unbroken)) rest = unbroken.replace(closes, "");
  for (let visible = ""; ;) {
    const start = rest.indexOf(tags.open);
    if (start < 0) return { reasoning: joined(blocks), text: visible + rest, open: false };
    visible += rest.slice(0, start);
    const block = rest.slice(start).replace(opens, "");
    const end = block.indexOf(tags.close);
    if (end < 0) {
      blocks.push(tags.open.startsWith(block) ? "" : withoutPartial(block, tags.close));
      return { reasoning: joined(blocks), text: visible, open: true };
    }
    blocks.push(block.slice(0, end));
    rest = block.slice(end).replace(closes, "");
  }
}

const joined = (blocks: string[]): string =>
  blocks
    .map((block) => block.replace(/[\r\n]+$/, ""))
    .filter(Boolean)
    .join("\n");

function withoutPartial(text: string, tag: string): string {
  for (let length = tag.length - 1; length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return text.slice(0, -length);
  }
  return text;
}

function stream(
  pieces: readonly string[],
  tags: ReasoningTags,
  open: boolean,
): ReturnType<typeof splitReasoning> & { parts: SplitPart[] } {
  const splitter = createSplitter({ tags, open });
  const parts = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.flush()];
  const whole = { reasoning: "", text: "" };
  for (const part of parts) whole[part.type] += part.text;
  return { ...whole, open: splitter.inside, parts };
}

describe("createSplitter()", () => {
  test("equals splitReasoning() of the whole for every cut, and gives out no empty part", () => {
    fc.assert(
      fc.property(tagPairs, fc.boolean(), fc.infiniteStream(fc.nat()), (tags, open, random) => {
        const text = fc.sample(outputs(tags), { numRuns: 1, seed: random.next().value })[0] ?? "";
        const { parts, ...streamed } = stream(cuts(text, random), tags, open);
        expect(streamed).toEqual(splitReasoning(text, tags, { open }));
        expect(parts.every((part) => part.text.length > 0)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("gives the same at each single cut point of a text with every kind of tag", () => {
    const text =
      "\n<think>\n\nfirst</thin\n</think>\n\n</think>\nOne <thi<think>second</think> and </think> two\n<think>third\n</thi";
    const whole = { reasoning: "first</thin\nsecond\nthird", text: "One <thi and </think> two\n", open: true };
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const { parts: _, ...streamed } = stream(
          [text.slice(0, first), text.slice(first, second), text.slice(second)],
          { open: "<think>", close: "</think>" },
          false,
        );
        expect(streamed).toEqual(whole);
      }
    }
  });

  test("holds back nothing but line breaks and a proper prefix of a tag that is possible next", () => {
    const inside = createSplitter({ open: true });
    expect(inside.push("a < b")).toEqual([{ type: "reasoning", text: "a < b" }]);
    expect(inside.push(" <think>")).toEqual([{ type: "reasoning", text: " <think>" }]);
    expect(inside.push("x\n\n</th")).toEqual([{ type: "reasoning", text: "x" }]);
    expect(inside.push("is")).toEqual([{ type: "reasoning", text: "\n\n</this" }]);
    expect(inside.push("\n</think")).toEqual([]);
    expect(inside.push(">\n\nyes\n\n")).toEqual([{ type: "text", text: "yes\n\n" }]);
    expect(inside.push("</th")).toEqual([{ type: "text", text: "</th" }]);
    expect(inside.push("<thi")).toEqual([]);
    expect(inside.flush()).toEqual([{ type: "text", text: "<thi" }]);
  });

  test("keeps line breaks before a plain text and drops those before a first block", () => {
    const plain = createSplitter();
    expect([...plain.push("\n"), ...plain.push("\nhello")]).toEqual([{ type: "text", text: "\n\nhello" }]);
    const thinking = createSplitter();
    expect([...thinking.push("\n"), ...thinking.push("\n<think>\nhm")]).toEqual([{ type: "reasoning", text: "hm" }]);
  });

  test("tells whether it is inside, and how many blocks were closed", () => {
    const splitter = createSplitter({ open: true });
    expect([splitter.inside, splitter.closedBlocks]).toEqual([true, 0]);
    splitter.push("a</think>\n</think>b");
    expect([splitter.inside, splitter.closedBlocks]).toEqual([false, 1]);
    splitter.push("<think>");
    expect([splitter.inside, splitter.closedBlocks]).toEqual([true, 1]);
    splitter.push("c</think>");
    expect([splitter.inside, splitter.closedBlocks]).toEqual([false, 2]);
  });

  test("refuses tags that are no strings, blank, or part of each other", () => {
    for (const tags of [
      { open: "", close: "</t>" },
      { open: "<t>", close: " \n" },
      { open: "<t>", close: "<t>" },
      { open: "t>", close: "</t>" },
    ]) {
      expect(() => createSplitter({ tags })).toThrow(TypeError);
    }
    // @ts-expect-error a number is no tag
    expect(() => createSplitter({ tags: { open: 1, close: "</t>" } })).toThrow(TypeError);
    expect(createSplitter({ tags: { open: "<t>\n", close: "\n</t>\n" }, open: true }).push("a</t>b")).toEqual([
      { type: "reasoning", text: "a" },
      { type: "text", text: "b" },
    ]);
  });
});

describe("splitReasoning()", () => {
  test("follows the written rules", () => {
    fc.assert(
      fc.property(
        tagPairs.chain((tags) => fc.tuple(fc.constant(tags), outputs(tags))),
        fc.boolean(),
        ([tags, text], open) => {
          expect(splitReasoning(text, tags, { open })).toEqual(oracle(text, tags, open));
        },
      ),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["keeps a text without tags as it is", "\nhello\n", { reasoning: "", text: "\nhello\n", open: false }],
    [
      "takes a closing tag alone as the end of a block that the prompt opened",
      "a\n</think>\n\nb\n",
      { reasoning: "a", text: "b\n", open: false },
    ],
    ["keeps an unclosed block as reasoning", "<think>\na\n", { reasoning: "a", text: "", open: true }],
    ["takes an empty block as no reasoning", "<think>\n\n</think>\n\nb", { reasoning: "", text: "b", open: false }],
    [
      "takes a second block as reasoning again",
      "<think>a</think>b\n<think>c</think>\nd",
      { reasoning: "a\nc", text: "b\nd", open: false },
    ],
    ["shows no half of a closing tag at the end", "<think>a\n</thin", { reasoning: "a", text: "", open: true }],
    [
      "swallows a closing tag that is repeated at once",
      "a</think>\n</think>\nb",
      { reasoning: "a", text: "b", open: false },
    ],
    [
      "keeps a closing tag that the answer speaks about",
      "a</think>use </think> so",
      { reasoning: "a", text: "use </think> so", open: false },
    ],
    ["keeps indentation", "a</think>\n  b", { reasoning: "a", text: "  b", open: false }],
    ["has nothing to say about nothing", "", { reasoning: "", text: "", open: false }],
  ])("%s", (_, text, expected) => expect(splitReasoning(text)).toEqual(expected));
});
