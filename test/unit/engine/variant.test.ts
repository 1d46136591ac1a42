import { describe, expect, test } from "vitest";
import { chooseVariant, NoVariant } from "../../../src/engine/variant.ts";
import type { VariantHost, VariantWishes } from "../../../src/engine/variant.ts";

const whole: VariantHost = { simd: "relaxed", memory64: true, sharedMemory: true };
const small = 1e9;
const large = 6e9;

describe("chooseVariant()", () => {
  test.each<[string, Partial<VariantHost>, Partial<VariantWishes>, string]>([
    ["a small model", {}, {}, "32 shared relaxed"],
    ["a large model", {}, { neededBytes: large }, "64 shared relaxed"],
    ["a small model where 64 bits are asked for", {}, { memory: "wasm64" }, "64 shared relaxed"],
    ["a page that may not share memory", { sharedMemory: false }, {}, "32 own relaxed"],
    ["a host without relaxed SIMD", { simd: "fixed" }, {}, "32 shared fixed"],
    ["fixed SIMD where it is asked for", {}, { simd: "fixed" }, "32 shared fixed"],
    ["fixed SIMD without shared memory", { simd: "fixed", sharedMemory: false }, {}, "32 own fixed"],
  ])("serves %s", (_, host, wishes, expected) => {
    const { bits, shared, simd } = chooseVariant({ ...whole, ...host }, { neededBytes: small, ...wishes });
    expect(`${bits} ${shared ? "shared" : "own"} ${simd}`).toBe(expected);
  });

  test.each<[string, Partial<VariantHost>, Partial<VariantWishes>, RegExp]>([
    ["no SIMD at all", { simd: "none" }, {}, /no SIMD/],
    ["a large model without 64-bit memory", { memory64: false }, { neededBytes: large }, /no 64-bit memory/],
    [
      "a large model on a page that may not share memory",
      { sharedMemory: false },
      { neededBytes: large },
      /cross-origin isolated/,
    ],
    ["relaxed SIMD where there is none", { simd: "fixed" }, { simd: "relaxed" }, /no relaxed SIMD/],
    ["fixed SIMD in 64-bit memory", {}, { simd: "fixed", memory: "wasm64" }, /leave out simd/],
  ])("says what is missing for %s", (_, host, wishes, message) => {
    const choose = (): unknown => chooseVariant({ ...whole, ...host }, { neededBytes: small, ...wishes });
    expect(choose).toThrow(NoVariant);
    expect(choose).toThrow(message);
  });
});
