// Whoever gives a model's file is not trusted: no header may do more harm than an error.
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import { NativeLoader } from "../../../src/wasm/loader.ts";
import type { WasmModule } from "../../../src/wasm/module.ts";
import { nanoHeaderBytes, nanoPath } from "../engine/nano.ts";
import { moduleStarter, variants } from "./modules.ts";

const nanoTensors = 81;
const header = new Uint8Array(await readFile(nanoPath)).slice(0, nanoHeaderBytes);

const expected: readonly ErrorCode[] = ["format", "memory", "unsupported", "crashed"];

/** Builds a model from a header. @returns How many tensors it has, or why there is none. */
function outcome(module: WasmModule, bytes: Uint8Array): number | InferenceError {
  let loader: NativeLoader | undefined;
  try {
    loader = new NativeLoader(module, [bytes]);
    return loader.build().length;
  } catch (error) {
    if (!InferenceError.is(error)) throw error;
    return error;
  } finally {
    loader?.free();
  }
}

/** Numbers that lengths, counts and offsets overflow at. */
const extremes = [0n, 1n, 2n ** 16n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 40n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];

type Mutation = (bytes: Uint8Array) => Uint8Array;
const place = fc.nat({ max: nanoHeaderBytes - 9 });
// The vocabulary fills most of the header; what describes the model is at its two ends.
const ends = fc.oneof(
  fc.nat({ max: 1200 }),
  fc.nat({ max: 4000 }).map((back) => nanoHeaderBytes - 9 - back),
);
const anywhere = fc.oneof({ weight: 3, arbitrary: ends }, { weight: 1, arbitrary: place });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(anywhere, fc.nat({ max: 255 })).map(
    ([where, value]): Mutation =>
      (bytes) =>
        bytes.with(Math.min(where, bytes.length - 1), value),
  ),
  fc.tuple(anywhere, fc.constantFrom(...extremes)).map(([where, value]): Mutation => (bytes) => {
    const copy = bytes.slice();
    if (where + 8 <= copy.length) new DataView(copy.buffer).setBigUint64(where, value, true);
    return copy;
  }),
  fc.tuple(anywhere, fc.integer({ min: 1, max: 64 })).map(
    ([where, count]): Mutation =>
      (bytes) =>
        new Uint8Array(Buffer.concat([bytes.subarray(0, where), bytes.subarray(where + count)])),
  ),
  fc.tuple(anywhere, anywhere, fc.nat({ max: 64 })).map(
    ([from, to, count]): Mutation =>
      (bytes) =>
        bytes.slice().copyWithin(to, from, from + count),
  ),
);
const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });

describe.each([...variants].filter(([, { simd, shared }]) => simd === "relaxed" && shared))("%s", (_, variant) => {
  let start: () => Promise<WasmModule>;
  let module: WasmModule;

  beforeAll(async () => {
    start = await moduleStarter(variant);
    module = await start();
  });

  /** Tries bytes, and afterwards, unless they were too much for the module, whether it still does its work. */
  async function check(bytes: Uint8Array): Promise<number | InferenceError> {
    const result = outcome(module, bytes);
    if (typeof result !== "number") expect(expected).toContain(result.code);
    if (module.isDead) module = await start();
    else expect(outcome(module, header)).toBe(nanoTensors);
    return result;
  }

  test("NativeLoader: the bundled model's header gives its tensors", async () => {
    expect(await check(header)).toBe(nanoTensors);
  });

  test("NativeLoader: bytes that are no GGUF are a format error, and the module goes on", async () => {
    const text = new TextEncoder().encode("<!doctype html><title>404</title>");
    const onlyMagic = new TextEncoder().encode("GGUF");
    for (const bytes of [new Uint8Array(), onlyMagic, text, new Uint8Array(4096), new Uint8Array(4096).fill(255)]) {
      expect(await check(bytes)).toMatchObject({ code: "format" });
      expect(module.isDead).toBe(false);
    }
  });

  test("NativeLoader: random bytes, with and without the magic, are a format error", async () => {
    const bytes = fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 8, maxLength: 4096 }));
    await fc.assert(
      fc.asyncProperty(bytes, async ([hasMagic, body]) => {
        if (hasMagic) body.set(header.subarray(0, 8));
        expect(await check(body)).toMatchObject({ code: "format" });
      }),
      { numRuns: 100 },
    );
  });

  test("NativeLoader: a header that ends too early is a format error, and the module goes on", async () => {
    const length = fc.nat({ max: nanoHeaderBytes - 64 });
    await fc.assert(
      fc.asyncProperty(length, async (end) => {
        expect(await check(header.subarray(0, end))).toMatchObject({ code: "format" });
        expect(module.isDead).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("NativeLoader: counts beyond all memory are an error", async () => {
    for (const where of [8, 16]) {
      for (const count of extremes.slice(1)) {
        const bytes = new Uint8Array(header);
        new DataView(bytes.buffer).setBigUint64(where, count, true);
        expect(await check(bytes)).toBeInstanceOf(InferenceError);
      }
    }
  });

  test("NativeLoader: a number that llama.cpp asserts against is an error with its words", async () => {
    const bytes = header.slice();
    // After the key comes its value's type, then the value.
    const key = Buffer.from(bytes.buffer).indexOf("glm4.block_count");
    new DataView(bytes.buffer).setUint32(key + "glm4.block_count".length + 4, 2 ** 20, true);
    const error = await check(bytes);
    expect(error).toMatchObject({ code: "format", message: expect.stringContaining("n_layer") });
  });

  test("NativeLoader: changed copies of the bundled model's header give a model or an expected error", async () => {
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        await check(changes.reduce<Uint8Array>((bytes, change) => change(bytes), header));
      }),
      { numRuns: 250 },
    );
  });
});
