import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forceThinking, missingThinkingPrefix, startThinking } from "../../../src/reasoning/index.ts";
import { outputs, tagPairs } from "./arbitraries.ts";

const prompts = tagPairs.chain((tags) => fc.tuple(fc.constant(tags), outputs(tags)));

describe("forceThinking()", () => {
  test.each([
    ["opens a block when the template opened none", "<|assistant|>\n", "<|assistant|>\n<think>\n"],
    ["adds the line break after GLM's own tag", "<|assistant|>\n<think>", "<|assistant|>\n<think>\n"],
    ["adds nothing to an open block", "<|assistant|>\n<think>\n", "<|assistant|>\n<think>\n"],
    ["adds nothing to an open block with a blank line", "<|assistant|>\n<think>\n\n", "<|assistant|>\n<think>\n\n"],
    ["opens a new block after an empty one", "a\n<think>\n</think>\n", "a\n<think>\n</think>\n<think>\n"],
    ["opens a block in an empty prompt", "", "<think>\n"],
  ])("%s", (_, prompt, expected) => expect(forceThinking(prompt)).toBe(expected));

  test("ends any prompt in an open block, only adds, and does nothing the second time", () => {
    fc.assert(
      fc.property(prompts, ([tags, prompt]) => {
        const forced = forceThinking(prompt, tags);
        expect(forced.startsWith(prompt)).toBe(true);
        const end = forced.trimEnd();
        expect(end.endsWith(tags.open)).toBe(true);
        expect(forced.slice(end.length)).toContain("\n");
        expect(forceThinking(forced, tags)).toBe(forced);
        expect(prompt + missingThinkingPrefix(prompt, tags)).toBe(forced);
        const added = forced.slice(prompt.length);
        expect(added === "" || added === "\n" || added === `${tags.open}\n`).toBe(true);
      }),
    );
  });
});

describe("startThinking()", () => {
  test("force opens, auto leaves the prompt alone, off closes what is open", () => {
    expect(startThinking("x", "force")).toEqual({ append: "<think>\n", open: true });
    expect(startThinking("x<think>", "auto")).toEqual({ append: "", open: true });
    expect(startThinking("x", "auto")).toEqual({ append: "", open: false });
    expect(startThinking("x<think>", "off")).toEqual({ append: "\n</think>\n", open: false });
    expect(startThinking("x<think>\n", "off")).toEqual({ append: "</think>\n", open: false });
    expect(startThinking("x", "off")).toEqual({ append: "", open: false });
  });
});
