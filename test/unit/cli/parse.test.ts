import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { collect, decimal, orWord, parseModel, wholeNumber } from "../../../src/cli/parse.ts";

describe("wholeNumber()", () => {
  const parse = wholeNumber({ min: 1, max: 256 });
  test.each([
    ["1", 1],
    ["256", 256],
    ["+8", 8],
  ])("takes %s", (text, value) => {
    expect(parse(text)).toBe(value);
  });
  test.each(["0", "257", "-1", "1.5", "1e2", "0x10", "", " ", "2 ", "two", "NaN", "Infinity"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow("It takes a whole number from 1 to 256.");
  });
});

describe("decimal()", () => {
  const parse = decimal({ min: 0, max: 1 });
  test.each([
    ["0", 0],
    ["1", 1],
    [".5", 0.5],
    ["0.95", 0.95],
    ["1.", 1],
  ])("takes %s", (text, value) => {
    expect(parse(text)).toBe(value);
  });
  test.each(["1.01", "-0.1", "", ".", "1e-1", "NaN", "0,5"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
  });
});

describe("orWord()", () => {
  const parse = orWord(wholeNumber({ min: 0, max: 9 }), "unlimited", Infinity);
  test("takes the word and the numbers", () => {
    expect([parse("unlimited"), parse("3")]).toEqual([Infinity, 3]);
  });
  test("names both when it refuses", () => {
    expect(() => parse("many")).toThrow('It takes a whole number from 0 to 9, or "unlimited".');
  });
});

test("collect() keeps every use, in order", () => {
  expect(collect("b", collect("a"))).toEqual(["a", "b"]);
  expect(() => collect("")).toThrow(InvalidArgumentError);
});

describe("parseModel()", () => {
  test.each([
    ["model.gguf", "model.gguf"],
    ["C:\\models\\a.gguf", "C:\\models\\a.gguf"],
    ["https://example.org/a.gguf", "https://example.org/a.gguf"],
    ["hf:unsloth/GLM-Z1-9B-0414-GGUF", { hf: "unsloth/GLM-Z1-9B-0414-GGUF" }],
    ["hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M", { hf: "unsloth/GLM-Z1-9B-0414-GGUF", quant: "Q4_K_M" }],
    ["hf:owner/repo/sub/file-Q8_0.gguf", { hf: "owner/repo", file: "sub/file-Q8_0.gguf" }],
  ])("reads %s", (text, source) => {
    expect(parseModel(text)).toEqual(source);
  });
  test.each(["", "  ", "hf:", "hf:owner", "hf:owner/repo:", "hf:owner/repo/", "hf:owner/repo/readme.md", "hf:a b/c"])(
    "refuses %j",
    (text) => {
      expect(() => parseModel(text)).toThrow(InvalidArgumentError);
    },
  );
});
