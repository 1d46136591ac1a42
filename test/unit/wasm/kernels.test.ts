// A build for the wrong processor leaves the vector kernels out, and says nothing: it is only slower. The binary tells.
import { describe, expect, test } from "vitest";
import { moduleBytes, variants } from "./modules.ts";
import { simd, simdCounts } from "./opcodes.ts";

describe.each([...variants])("%s", (_, variant) => {
  test("it has dot products of 16-bit integers", async () => {
    const counts = simdCounts(await moduleBytes(variant));
    expect(counts.get(simd.dotI16x8) ?? 0).toBeGreaterThan(10);
  });
});

describe.each([...variants].filter(([, { simd }]) => simd === "relaxed"))("%s", (_, variant) => {
  test("it has relaxed dot products of 8-bit integers", async () => {
    const counts = simdCounts(await moduleBytes(variant));
    expect(counts.get(simd.relaxedDotAdd) ?? 0).toBeGreaterThan(0);
  });
});

describe.each([...variants].filter(([, { simd }]) => simd === "fixed"))("%s", (_, variant) => {
  test("it has no relaxed instruction, which would keep hosts without them from compiling it", async () => {
    const counts = simdCounts(await moduleBytes(variant));
    expect([...counts.keys()].filter((number) => number >= simd.firstRelaxed)).toEqual([]);
  });
});
