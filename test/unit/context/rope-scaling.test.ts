import { describe, expect, test } from "vitest";
import { planContext } from "../../../src/context/plan-context.ts";
import { readExtension } from "../../../src/context/rope-scaling.ts";

describe("readExtension()", () => {
  test("reads every form of the option", () => {
    expect(readExtension()).toEqual({ enabled: true });
    expect(readExtension("auto")).toEqual({ enabled: true });
    expect(readExtension("off")).toEqual({ enabled: false });
    expect(readExtension({ type: "yarn" })).toEqual({ enabled: true });
    expect(readExtension({ type: "yarn", factor: "auto", above: 0 })).toEqual({ enabled: true, above: 0 });
    expect(readExtension({ type: "yarn", factor: 2, originalContext: 512, above: 100 })).toEqual({
      enabled: true,
      factor: 2,
      originalContext: 512,
      above: 100,
    });
    expect(readExtension({ type: "yarn", factor: 1 })).toEqual({ enabled: false, factor: 1 });
  });

  test("takes a model card's snippet as it stands, as the card's literal rule", () => {
    const snippet = JSON.parse('{"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}');
    const { factor, above } = readExtension(snippet);
    expect(readExtension(snippet)).toEqual({ enabled: true, factor: 4, originalContext: 32768, above: 8192 });
    const plan = (inputTokens: number): unknown =>
      planContext({ inputTokens, recommended: 30000, trained: 32768, factor: factor ?? "auto", above: above ?? 0 })
        .rope;
    expect(plan(8192)).toBeUndefined();
    expect(plan(8193)).toEqual({ type: "yarn", factor: 4, originalContext: 32768 });
  });

  test.each([
    [TypeError, "on"],
    [TypeError, null],
    [TypeError, 4],
    [TypeError, { type: "linear", factor: 2 }],
    [TypeError, { type: "yarn", factor: "4", original_max_position_embeddings: 32768 }],
    [RangeError, { type: "yarn", factor: 8, original_max_position_embeddings: 32768 }],
    [RangeError, { type: "yarn", factor: 4, original_max_position_embeddings: 0 }],
    [RangeError, { type: "yarn", factor: 0.5 }],
    [RangeError, { type: "yarn", originalContext: 1.5 }],
    [RangeError, { type: "yarn", above: -1 }],
  ])("throws %o for %o", (error, extend) => {
    // What a caller without types could pass.
    expect(() => readExtension(extend as "auto")).toThrow(error);
  });
});
