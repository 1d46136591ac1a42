import { describe, expect, test } from "vitest";
import { recommendedSampling } from "../../../src/context/recommended-sampling.ts";

const glmZ1 = { temperature: 0.6, topP: 0.95, topK: 40, maxTokens: 30000 };
const of = (metadata: Record<string, unknown>): object => recommendedSampling(new Map(Object.entries(metadata)));

describe("recommendedSampling()", () => {
  test.each([
    { "general.name": "GLM-4-Z1-9B-0414" },
    { "general.name": "GLM-Z1-32B-0414" },
    { "general.name": "Glm Z1 9b 0414" },
    { "general.name": "model", "general.basename": "GLM-Z1" },
  ])("knows GLM-Z1 by name: %o", (metadata) => expect(of(metadata)).toEqual(glmZ1));

  test("knows that GLM-Z1-Rumination wants something else", () => {
    const expected = { temperature: 0.95, topP: 0.7, maxTokens: 16384 };
    expect(of({ "general.name": "THUDM_GLM-Z1-Rumination-32B-0414" })).toEqual(expected);
    expect(of({ "general.name": "GLM Z1 Rumination 32B 0414", "general.basename": "GLM-Z1-Rumination" })).toEqual(
      expected,
    );
  });

  test.each([
    {},
    { "general.name": "GLM-4-9B-0414" },
    { "general.name": "ruminate-nano" },
    { "general.name": "GLM-Z10" },
    { "general.name": 7 },
  ])("has nothing to say about %o", (metadata) => expect(of(metadata)).toEqual({}));

  test("takes the file's keys first, 32-bit floats as they were meant, and the family's for the rest", () => {
    const keys = {
      "general.sampling.temp": Math.fround(0.7),
      "general.sampling.top_p": Math.fround(0.8),
      "general.sampling.top_k": 20n,
      "general.sampling.min_p": 0,
      "general.sampling.penalty_repeat": Math.fround(1.05),
    };
    expect(of(keys)).toEqual({ temperature: 0.7, topP: 0.8, topK: 20, minP: 0, repeatPenalty: 1.05 });
    expect(of({ "general.name": "GLM-Z1-9B-0414", "general.sampling.temp": 1 })).toEqual({ ...glmZ1, temperature: 1 });
  });

  test("ignores what cannot be a recommendation", () => {
    expect(
      of({
        "general.sampling.temp": -1,
        "general.sampling.top_p": 1.5,
        "general.sampling.top_k": 2.5,
        "general.sampling.min_p": Number.NaN,
        "general.sampling.penalty_repeat": "1.1",
      }),
    ).toEqual({});
  });
});
