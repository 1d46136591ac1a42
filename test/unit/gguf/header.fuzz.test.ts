import fc from "fast-check";
import { expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { modelFacts } from "../../../src/gguf/facts.ts";
import { readHeader } from "../../../src/gguf/header.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import { buildModel, modelMetadata, sourceOf } from "../../gguf-fixture.ts";

// What a reader may take for itself on files of a few KB; the attacks claim gigabytes and more.
const memoryLimit = 24 * 2 ** 20;

async function outcome(bytes: Uint8Array<ArrayBuffer>): Promise<"valid" | "refused"> {
  const source = sourceOf(bytes);
  try {
    const header = await readHeader(source);
    for (const tensor of header.tensors) {
      expect(header.dataOffset + tensor.offset + tensor.bytes).toBeLessThanOrEqual(bytes.byteLength);
      expect(tensor.offset % header.alignment).toBe(0);
    }
    modelFacts(await readModelHeader([source]));
    return "valid";
  } catch (error) {
    if (!InferenceError.is(error, "format")) throw error;
    return "refused";
  } finally {
    expect(source.reads.length).toBeLessThan(20);
    expect(Math.max(...source.reads.map(([, length]) => length))).toBeLessThanOrEqual(4 * 2 ** 20);
  }
}

/** Bytes that everything still held takes, buffers and objects. */
function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const base = buildModel({ metadata: { ...modelMetadata, "general.alignment": 32, big: 2n ** 40n, ratio: 0.5 } });
const headerBytes = base.byteLength - 64 * 8 * 4;
const extremes = [0n, 1n, 255n, 2n ** 16n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];

type Mutation = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
const changed = (
  bytes: Uint8Array<ArrayBuffer>,
  where: number,
  change: (byte: number) => number,
): Uint8Array<ArrayBuffer> => bytes.map((byte, index) => (index === where ? change(byte) : byte));
const at = fc.nat({ max: headerBytes - 9 });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(at, fc.nat({ max: 255 })).map(
    ([where, value]): Mutation =>
      (bytes) =>
        changed(bytes, where, () => value),
  ),
  fc.tuple(at, fc.nat({ max: 7 })).map(
    ([where, bit]): Mutation =>
      (bytes) =>
        changed(bytes, where, (byte) => byte ^ (1 << bit)),
  ),
  fc.tuple(at, fc.constantFrom(...extremes)).map(([where, value]): Mutation => (bytes) => {
    const copy = bytes.slice();
    if (where + 8 <= copy.byteLength) new DataView(copy.buffer).setBigUint64(where, value, true);
    return copy;
  }),
  fc.nat({ max: base.byteLength }).map(
    (length): Mutation =>
      (bytes) =>
        bytes.slice(0, length),
  ),
  fc.tuple(at, fc.nat({ max: 64 })).map(([where, count]): Mutation => (bytes) => {
    return Uint8Array.from([...bytes.subarray(0, where), ...bytes.subarray(where + count)]);
  }),
  fc.tuple(at, at, fc.nat({ max: 64 })).map(([from, to, count]): Mutation => (bytes) => {
    return bytes.slice().copyWithin(to, from, from + count);
  }),
);
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

test("readHeader() gives a checked header or a format error for any mutation of a valid file", async () => {
  const seen = { valid: 0, refused: 0 };
  const before = memoryInUse();
  let most = 0;
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      const bytes = changes.reduce((mutated, change) => change(mutated), base);
      fc.pre(bytes.byteLength > 0);
      seen[await outcome(bytes)]++;
      most = Math.max(most, memoryInUse() - before);
    }),
    { numRuns: 3000 },
  );
  // Both ends are met, or the mutations would prove nothing.
  expect(seen.valid).toBeGreaterThan(50);
  expect(seen.refused).toBeGreaterThan(500);
  expect(most).toBeLessThan(10 * memoryLimit);
});

test("readHeader() gives a format error for arbitrary bytes behind the magic", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (rest) => {
      const bytes = Uint8Array.from([...base.subarray(0, 8), ...rest]);
      expect(await outcome(bytes)).toBe("refused");
    }),
    { numRuns: 500 },
  );
});

/** A file of exactly `length` bytes: 64-bit words behind magic and version, then padding. */
function attack(length: number, words: readonly bigint[], tail: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  bytes.set(base.subarray(0, 8));
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setBigUint64(8 + index * 8, word, true);
  bytes.set(tail, 8 + words.length * 8);
  return bytes;
}

const u64 = (value: bigint): number[] => [...new Uint8Array(new BigUint64Array([value]).buffer)];
const pair = (type: number, ...rest: number[]): number[] => [107, type, 0, 0, 0, ...rest];
const most = 2n ** 64n - 1n;

test.each<[string, Uint8Array<ArrayBuffer>]>([
  ["43 bytes that claim 2^64 - 1 tensors", attack(43, [most, 0n])],
  ["43 bytes that claim 2^63 pairs", attack(43, [0n, 2n ** 63n])],
  ["43 bytes that claim a key of 2^40 bytes", attack(43, [0n, 1n, 2n ** 40n])],
  ["43 bytes that claim 65535 pairs", attack(43, [0n, 65_535n, 1n])],
  ["160 bytes that claim 200,000 tensors", attack(160, [200_000n, 0n])],
  ["160 bytes that claim a string of 2^63 bytes", attack(160, [0n, 1n, 1n], pair(8, ...u64(2n ** 63n)))],
  ["160 bytes that claim a string of 15 MiB", attack(160, [0n, 1n, 1n], pair(8, ...u64(15n * 2n ** 20n)))],
  ["160 bytes that claim 2^64 - 1 strings", attack(160, [0n, 1n, 1n], pair(9, 8, 0, 0, 0, ...u64(most)))],
  ["160 bytes that claim 8 million bytes", attack(160, [0n, 1n, 1n], pair(9, 0, 0, 0, 0, ...u64(8_000_000n)))],
  ["160 bytes that claim arrays within arrays", attack(160, [0n, 1n, 1n], pair(9, 9, 0, 0, 0, ...u64(2n ** 32n)))],
])("readHeader() refuses %s without taking memory", async (_what, bytes) => {
  const source = sourceOf(bytes);
  const before = memoryInUse();
  const error: unknown = await readHeader(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(memoryInUse() - before).toBeLessThan(memoryLimit);
  expect(InferenceError.is(error, "format")).toBe(true);
  expect(source.reads.length).toBeLessThanOrEqual(2);
});
