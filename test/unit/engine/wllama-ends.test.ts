import { expect, test } from "vitest";
import { modelEnds } from "../../../src/engine/wllama-ends.ts";
import { nanoFacts } from "./nano.ts";

test("modelEnds() takes the facts' tokens first, then those that llama.cpp knows by their text", () => {
  const controlTokens = new Map([
    ["<|im_end|>", 7],
    ["<|endoftext|>", 5],
  ]);
  expect(modelEnds({ ...nanoFacts, controlTokens, endTokens: [7] })).toEqual({ ids: [7, 5], why: [] });
});

test("modelEnds() says which tokens it could not take", () => {
  const { ids, why } = modelEnds({ ...nanoFacts, endTokens: [1, 2, 3, 4] });
  expect(ids).toEqual([1, 2, 3]);
  expect(why.join()).toContain("4");
});
