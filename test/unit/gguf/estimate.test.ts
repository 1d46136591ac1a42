import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { checkFits, estimateMemory } from "../../../src/gguf/estimate.ts";
import type { ModelHeader } from "../../../src/gguf/model-header.ts";

const kib = 2 ** 10;
const mib = 2 ** 20;
const gib = 2 ** 30;

const vocabulary = Array.from({ length: 151552 }, () => "t");
/** GLM-4-9B-0414's shape, with one tensor of `weights` bytes. */
function glm9b(changes: Readonly<Record<string, unknown>> = {}, weights = 5.3e9): ModelHeader {
  const metadata = {
    "glm4.block_count": 40,
    "glm4.embedding_length": 4096,
    "glm4.feed_forward_length": 13696,
    "glm4.attention.head_count": 32,
    "glm4.attention.head_count_kv": 2,
    "glm4.attention.key_length": 128,
    "glm4.attention.value_length": 128,
    "tokenizer.ggml.tokens": vocabulary,
    ...changes,
  };
  const tensor = { name: "w", shape: [weights], type: "I8", offset: 0, bytes: weights };
  return {
    label: "glm",
    architecture: "glm4",
    metadata: new Map(Object.entries(metadata)),
    tensors: [tensor],
    sizeBytes: weights,
    shards: [],
  };
}

test("estimateMemory() gives GLM-4-9B its 40 KiB a token in f16", () => {
  expect(estimateMemory(glm9b(), { contextSize: 1 }).kv).toBe(40 * kib);
  expect(estimateMemory(glm9b(), { contextSize: 8192 }).kv).toBe(320 * mib);
  expect(estimateMemory(glm9b(), { contextSize: 131072 }).kv).toBe(5 * gib);
});

test("estimateMemory() scales the cache with its type", () => {
  const size = (kvType: "f16" | "q8_0" | "q4_0"): number => estimateMemory(glm9b(), { contextSize: 8192, kvType }).kv;
  expect(size("q8_0")).toBe((320 * mib * 34) / 64);
  expect(size("q4_0")).toBe((320 * mib * 18) / 64);
});

test("estimateMemory() takes head sizes from the embedding and KV heads from the heads where the file has none", () => {
  const changes = {
    "glm4.attention.key_length": undefined,
    "glm4.attention.value_length": undefined,
    "glm4.attention.head_count_kv": undefined,
  };
  const header = glm9b();
  const pairs = [...header.metadata].filter(([key]) => !(key in changes));
  expect(estimateMemory({ ...header, metadata: new Map(pairs) }, { contextSize: 1 }).kv).toBe(40 * 32 * 256 * 2);
});

test("estimateMemory() sums KV heads that a file gives layer by layer", () => {
  const heads = Array.from({ length: 40 }, (_, layer) => (layer % 4 === 0 ? 2 : 0));
  expect(estimateMemory(glm9b({ "glm4.attention.head_count_kv": heads }), { contextSize: 1 }).kv).toBe(10 * kib);
});

test("estimateMemory() counts the logits of a batch, and without flash attention the scores", () => {
  const logits = 512 * 4 * 151552;
  const plain = estimateMemory(glm9b(), { contextSize: 8192 }).compute;
  expect(plain).toBeGreaterThan(logits);
  expect(plain).toBeLessThan(logits + 64 * mib);
  expect(estimateMemory(glm9b(), { contextSize: 8192, flashAttention: false }).compute).toBeGreaterThan(
    8192 * 32 * 512 * 4,
  );
  expect(estimateMemory(glm9b(), { contextSize: 8192, batchSize: 64 }).compute).toBe(plain / 8);
});

test("estimateMemory() adds up, and grows with the context", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 1000 }), (contextSize, more) => {
      const small = estimateMemory(glm9b(), { contextSize });
      const large = estimateMemory(glm9b(), { contextSize: contextSize + more });
      expect(small.total).toBe(small.weights + small.kv + small.compute);
      expect(large.total).toBeGreaterThan(small.total);
    }),
  );
});

test("estimateMemory() refuses sizes that are none and headers that lack the numbers", () => {
  for (const contextSize of [0, -1, 1.5, NaN, Infinity])
    expect(() => estimateMemory(glm9b(), { contextSize })).toThrow(RangeError);
  expect(() => estimateMemory(glm9b(), { contextSize: 1, batchSize: 0 })).toThrow(RangeError);
  for (const value of [undefined, 0, "many", 2n ** 60n]) {
    expect(() => estimateMemory(glm9b({ "glm4.block_count": value }), { contextSize: 1 })).toThrow(
      /"glm4\.block_count" is/,
    );
  }
});

test("estimateMemory() knows that panels of some types are larger than their rows, by what the kernels say of them", () => {
  const source = readFileSync(new URL("../../../wasm/kernels/weights-k.h", import.meta.url), "utf8");
  const sizes = source.matchAll(
    /sizeof\((Q\d_K)::FileBlock\) == (\d+) && sizeof\(\1::Block\) == (\d+) \+ 8 \* (\d+)\)/g,
  );
  const found = [...sizes].map(([, type = "", file, head, row]) => {
    const tensor = { name: "w", shape: [256, 8], type, offset: 0, bytes: 8 * Number(file) };
    const header = { ...glm9b(), tensors: [tensor] };
    expect([type, estimateMemory(header, { contextSize: 1 }).weights]).toEqual([type, Number(head) + 8 * Number(row)]);
    return type;
  });
  expect(found).toEqual(["Q4_K", "Q5_K", "Q6_K"]);
});

test("estimateMemory() counts an embedding twice where no tensor of its own makes the output", () => {
  const tensor = { name: "token_embd.weight", shape: [32], type: "Q8_0", offset: 0, bytes: 34 };
  const weights = (...tensors: (typeof tensor)[]): number =>
    estimateMemory({ ...glm9b(), tensors }, { contextSize: 1 }).weights;
  expect(weights(tensor)).toBe(68);
  expect(weights(tensor, { ...tensor, name: "output.weight" })).toBe(68);
});

test("checkFits() passes what fits and refuses the rest with the numbers and what to do", () => {
  const estimate = estimateMemory(glm9b(), { contextSize: 32768 });
  expect(checkFits(estimate, estimate.total, "glm")).toBeUndefined();
  try {
    checkFits(estimate, estimate.total - 1, "glm");
    expect.unreachable();
  } catch (error) {
    if (!InferenceError.is(error, "memory")) throw error;
    expect(error.details).toMatchObject({ needed: estimate.total, limit: estimate.total - 1 });
    expect(error.message).toMatch(
      /^Cannot load glm: it needs \d+\.\d\d GiB .*weights 4\.94, context 1\.25.* use a smaller quantization or fewer context tokens$/,
    );
  }
  expect(() => checkFits(estimate, 4 * gib, "glm")).toThrow(/allows 4\.00 GiB; use a smaller quantization$/);
});
