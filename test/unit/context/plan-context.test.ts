import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planContext } from "../../../src/context/plan-context.ts";
import type { ContextRequest } from "../../../src/context/plan-context.ts";
import { InferenceError } from "../../../src/errors.ts";

const trained = 32768;
const yarn = (factor: number) => ({ type: "yarn", factor, originalContext: trained });

describe("planContext() with the numbers of GLM-Z1", () => {
  test.each<[string, Omit<ContextRequest, "trained">, ReturnType<typeof planContext> | object]>([
    [
      "plain while input and maxTokens fit exactly",
      { inputTokens: 30000, maxTokens: 2768 },
      { size: 32768, maxTokens: 2768 },
    ],
    [
      "YaRN one token later",
      { inputTokens: 30000, maxTokens: 2769 },
      { size: 33024, maxTokens: 2769, rope: yarn(1.5) },
    ],
    [
      "plain up to a quarter, the reply capped to what is left",
      { inputTokens: 8192, recommended: 30000 },
      { size: 32768, maxTokens: 24576 },
    ],
    [
      "YaRN beyond a quarter",
      { inputTokens: 8193, recommended: 30000 },
      { size: 38400, maxTokens: 30000, rope: yarn(1.5) },
    ],
    [
      "plain beyond a quarter if the recommended reply fits",
      { inputTokens: 8193, recommended: 4096 },
      { size: 12544, maxTokens: 4096 },
    ],
    [
      "the smallest factor that holds",
      { inputTokens: 40000, recommended: 30000 },
      { size: 70144, maxTokens: 30000, rope: yarn(2.5) },
    ],
    [
      "a recommended reply capped at four times",
      { inputTokens: 131000, recommended: 30000 },
      { size: 131072, maxTokens: 72, rope: yarn(4) },
    ],
    ["plain up to three quarters when nothing is known", { inputTokens: 24576 }, { size: 32768, maxTokens: 8192 }],
    [
      "YaRN beyond three quarters, a quarter kept for the reply",
      { inputTokens: 24577 },
      { size: 33024, maxTokens: 8192, rope: yarn(1.5) },
    ],
    [
      "the card's literal rule, even where it fits",
      { inputTokens: 8193, maxTokens: 100, above: 8192, factor: 4 },
      { size: 8448, maxTokens: 100, rope: yarn(4) },
    ],
    [
      "the card's literal rule, not below its threshold",
      { inputTokens: 8192, recommended: 30000, above: 8192, factor: 4 },
      { size: 32768, maxTokens: 24576 },
    ],
    [
      "a threshold alone extends nothing that fits",
      { inputTokens: 9000, maxTokens: 100, above: 8192 },
      { size: 9216, maxTokens: 100 },
    ],
    [
      "a high threshold does not refuse what YaRN can serve",
      { inputTokens: 32768, above: 65536 },
      { size: 40960, maxTokens: 8192, rope: yarn(1.5) },
    ],
    [
      "a given factor, only where YaRN is needed",
      { inputTokens: 30000, maxTokens: 5000, factor: 4 },
      { size: 35072, maxTokens: 5000, rope: yarn(4) },
    ],
    ["factor 1 never extends", { inputTokens: 32000, recommended: 30000, factor: 1 }, { size: 32768, maxTokens: 768 }],
    [
      "a limit caps the reply and spares YaRN",
      { inputTokens: 9000, recommended: 30000, limit: 20000 },
      { size: 20000, maxTokens: 11000 },
    ],
    [
      "a limit below what YaRN would need",
      { inputTokens: 40000, recommended: 30000, limit: 50000 },
      { size: 50000, maxTokens: 10000, rope: yarn(2) },
    ],
    [
      "a limit of the trained context, full to the brim",
      { inputTokens: 32768, limit: 32768 },
      { size: 32768, maxTokens: 0 },
    ],
    ["an empty input", { inputTokens: 0, maxTokens: 0 }, { size: 256, maxTokens: 0 }],
  ])("plans %s", (_, request, expected) => expect(planContext({ ...request, trained })).toEqual(expected));

  test("refuses what no window holds, with the numbers", () => {
    const full = (request: Omit<ContextRequest, "trained">): unknown => {
      try {
        return planContext({ ...request, trained });
      } catch (error) {
        return InferenceError.is(error, "context-full") ? error.details : error;
      }
    };
    expect(full({ inputTokens: 131073 })).toEqual({ needed: 131073, window: 131072 });
    expect(full({ inputTokens: 100000, maxTokens: 40000 })).toEqual({ needed: 140000, window: 131072 });
    expect(full({ inputTokens: 50000, factor: 1.5 })).toEqual({ needed: 50000, window: 49152 });
    expect(full({ inputTokens: 32769, factor: 1 })).toEqual({ needed: 32769, window: 32768 });
    expect(full({ inputTokens: 4097, limit: 4096 })).toEqual({ needed: 4097, window: 4096 });
  });

  test.each<Partial<ContextRequest>>([
    { inputTokens: -1 },
    { inputTokens: 1.5 },
    { inputTokens: Number.NaN },
    { maxTokens: -1 },
    { maxTokens: Infinity },
    { recommended: -3 },
    { trained: 0 },
    { trained: 2.5 },
    { factor: 0.5 },
    { factor: 4.5 },
    { factor: Number.NaN },
    { above: -1 },
    { above: Number.NaN },
    { limit: 0 },
  ])("throws a RangeError for %o", (wrong) => {
    expect(() => planContext({ inputTokens: 10, trained, ...wrong })).toThrow(RangeError);
  });
});

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const given = (request: Record<string, unknown>): ContextRequest =>
  // The keys come from the record below; undefined ones are left out, as exactOptionalPropertyTypes wants.
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as unknown as ContextRequest;
const tokens = fc.oneof(fc.nat(200), fc.nat(5000));
const requests = fc
  .record({
    inputTokens: tokens,
    maxTokens: optional(tokens),
    recommended: optional(tokens),
    trained: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constantFrom(256, 512, 1024)),
    factor: optional(fc.oneof(fc.constant("auto" as const), fc.constantFrom(1, 1.5, 2, 3.25, 4))),
    above: optional(tokens),
    limit: optional(fc.integer({ min: 1, max: 9000 })),
  })
  .map(given);

function planOrError(request: ContextRequest): ReturnType<typeof planContext> | InferenceError {
  try {
    return planContext(request);
  } catch (error) {
    if (InferenceError.is(error, "context-full")) return error;
    throw error;
  }
}

describe("planContext() for any request", () => {
  test("refuses exactly what exceeds the largest window, and else holds the request within its bounds", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const largest = typeof request.factor === "number" ? request.factor : 4;
        const window = Math.min(Math.floor(request.trained * largest), request.limit ?? Infinity);
        const needed = request.inputTokens + (request.maxTokens ?? 0);
        const plan = planOrError(request);
        if (plan instanceof Error) {
          expect(plan.details).toEqual({ needed, window });
          expect(needed).toBeGreaterThan(window);
          return;
        }
        expect(needed).toBeLessThanOrEqual(window);
        expect(request.inputTokens + plan.maxTokens).toBeLessThanOrEqual(plan.size);
        expect(plan.size).toBeLessThanOrEqual(request.limit ?? Infinity);
        expect(plan.size).toBeLessThanOrEqual(request.trained * (plan.rope?.factor ?? 1));
        expect(plan.size - (request.inputTokens + plan.maxTokens)).toBeLessThanOrEqual(256);
        if (request.maxTokens !== undefined) expect(plan.maxTokens).toBe(request.maxTokens);
        else expect(plan.maxTokens).toBeLessThanOrEqual(request.recommended ?? Infinity);
      }),
      { numRuns: 5000 },
    );
  });

  test("chooses the smallest sufficient step from 1.5 to 4, and never extends what fits", () => {
    fc.assert(
      fc.property(requests, ({ factor: _, ...request }) => {
        const plan = planOrError(request);
        if (plan instanceof Error) return;
        const used = request.inputTokens + plan.maxTokens;
        if (!plan.rope) {
          expect(used).toBeLessThanOrEqual(request.trained);
          return;
        }
        expect([1.5, 2, 2.5, 3, 3.5, 4]).toContain(plan.rope.factor);
        expect(used).toBeLessThanOrEqual(request.trained * plan.rope.factor);
        expect(used).toBeGreaterThan(request.trained * (plan.rope.factor - 0.5));
      }),
      { numRuns: 5000 },
    );
  });

  test("never shrinks as the input grows", () => {
    fc.assert(
      fc.property(requests, tokens, (request, more) => {
        const [short, long] = [
          planOrError(request),
          planOrError({ ...request, inputTokens: request.inputTokens + more }),
        ];
        if (short instanceof Error) expect(long).toBeInstanceOf(Error);
        else if (!(long instanceof Error)) {
          expect(long.size).toBeGreaterThanOrEqual(short.size);
          expect(long.rope?.factor ?? 1).toBeGreaterThanOrEqual(short.rope?.factor ?? 1);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
