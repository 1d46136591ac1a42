import * as fc from "fast-check";
import type { ReasoningTags } from "../../../src/reasoning/index.ts";

export const tagPairs: fc.Arbitrary<ReasoningTags> = fc.constantFrom(
  { open: "<think>", close: "</think>" },
  { open: "[[", close: "]]" },
  { open: "aab", close: "aac" },
  { open: "<|begin|>", close: "<|end|>" },
);

/** Model output that is rich in tags, halves of tags and line breaks. */
export function outputs({ open, close }: ReasoningTags): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(open, close) },
    { weight: 2, arbitrary: fc.constantFrom("\n", "\r\n", "\n\n", " ") },
    {
      weight: 2,
      arbitrary: fc.constantFrom(open, close).chain((tag) => fc.nat(tag.length).map((end) => tag.slice(0, end))),
    },
    { weight: 2, arbitrary: fc.constantFrom("x", "a", "<", "[", "答", "🙂", "so it is 4") },
  );
  return fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
}

/** Cuts a text into pieces of one to six UTF-16 units. */
export function cuts(text: string, random: Iterator<number>): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = 1 + ((random.next().value as number) % 6); // infinite: value is never the return value
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
