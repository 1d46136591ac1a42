import fc from "fast-check";
import { expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { bytesFile } from "../../../src/gguf/memory-file.ts";
import { arrangeWeights, readModelHeader } from "../../../src/gguf/model-header.ts";
import { buildGguf, buildModel, buildShards, modelMetadata, sourceOf, typed } from "../../gguf-fixture.ts";

const shards = (count: number): ReturnType<typeof sourceOf>[] =>
  buildShards(count).map((bytes, index) => sourceOf(bytes, { name: `m-0000${index + 1}-of-0000${count}.gguf` }));

async function refusal(...files: ReturnType<typeof sourceOf>[]): Promise<InferenceError> {
  const error: unknown = await readModelHeader(files).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!InferenceError.is(error, "format")) throw new Error(`expected a format error, got ${String(error)}`);
  return error;
}

test("readModelHeader() merges shards in any order", async () => {
  const ordered = shards(4);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), async (order) => {
      const header = await readModelHeader(order.flatMap((index) => ordered[index] ?? []));
      expect(header.tensors.map(({ name }) => name)).toEqual([0, 1, 2, 3].map((index) => `blk.${index}.weight`));
      expect(header.shards.map(({ index }) => order[index])).toEqual([0, 1, 2, 3]);
      expect(header.label).toBe("m");
      expect(header.architecture).toBe("glm4");
      expect(header.sizeBytes).toBe(ordered.reduce((sum, { size }) => sum + (size ?? NaN), 0));
    }),
  );
});

test("readModelHeader() names missing shards", async () => {
  const [one, , three] = shards(3);
  if (!one || !three) throw new Error("no shards");
  const error = await refusal(one, three);
  expect(error.message).toMatch(/split into 3 files and shard 2 is missing/);
  expect(error.details).toMatchObject({ missing: [2] });
  expect((await refusal(three)).message).toMatch(/shard 1, shard 2 are missing/);
});

test("readModelHeader() refuses shards that do not belong together", async () => {
  const [one, two] = shards(2);
  const [other] = shards(3);
  if (!one || !two || !other) throw new Error("no shards");
  expect((await refusal(one, other)).message).toMatch(/does not belong with m-00001-of-00002/);
  expect((await refusal(one, one)).message).toMatch(/both are shard 1 of 2/);
  expect((await refusal(one, sourceOf(buildModel()))).message).toMatch(/whole model, not a shard/);
  const split = { "split.no": 1, "split.count": 2, "split.tensors.count": 2 };
  const same = sourceOf(buildGguf({ metadata: split, tensors: [{ name: "blk.0.weight", shape: [16] }] }), {
    name: "twin.gguf",
  });
  expect((await refusal(one, same)).message).toMatch(/twin\.gguf: its tensor "blk\.0\.weight" is in m-00001/);
  const empty = sourceOf(buildGguf({ metadata: split }), { name: "empty.gguf" });
  expect((await refusal(one, empty)).message).toMatch(/has 2 tensors, but its 2 files hold 1/);
  const odd = sourceOf(buildModel({ metadata: { ...modelMetadata, "split.count": "two" } }));
  expect((await refusal(odd)).message).toMatch(/split\.count is two/);
});

test("readModelHeader() says what a file lacks to be a language model", async () => {
  const without = (...keys: string[]): ReturnType<typeof sourceOf> =>
    sourceOf(buildModel({ metadata: Object.entries(modelMetadata).filter(([key]) => !keys.includes(key)) }));
  expect((await refusal(without("general.architecture"))).message).toMatch(/no "general\.architecture"/);
  expect((await refusal(without("tokenizer.ggml.model"))).message).toMatch(/no tokenizer/);
  expect((await refusal(without("tokenizer.ggml.tokens"))).message).toMatch(/no tokenizer/);
  expect((await refusal(sourceOf(buildGguf({ metadata: modelMetadata })))).message).toMatch(/no weights/);
  const numbers = { ...modelMetadata, "tokenizer.ggml.tokens": [1, 2], "tokenizer.ggml.token_type": [1, 1] };
  expect((await refusal(sourceOf(buildModel({ metadata: numbers })))).message).toMatch(/no tokenizer/);
});

test("readModelHeader() takes a model that says it is split into one", async () => {
  const metadata = { ...modelMetadata, "split.no": typed(2, 0), "split.count": typed(2, 1), "split.tensors.count": 1 };
  expect((await readModelHeader([sourceOf(buildModel({ metadata }))])).tensors).toHaveLength(1);
});

test("arrangeWeights() puts files in shard order and refuses one that came short", async () => {
  const [one, two] = buildShards(2);
  if (!one || !two) throw new Error("no shards");
  const header = await readModelHeader([
    sourceOf(two, { name: "b", size: undefined }),
    sourceOf(one, { name: "a", size: undefined }),
  ]);
  const files = [bytesFile("b", two), bytesFile("a", one)];
  expect(arrangeWeights(header, files).map(({ name }) => name)).toEqual(["a", "b"]);
  const short = [bytesFile("b", two.slice(0, -60)), bytesFile("a", one)];
  expect(() => arrangeWeights(header, short)).toThrow(/Cannot read b: its tensors reach to byte/);
  expect(() => arrangeWeights(header, files.slice(0, 1))).toThrow(RangeError);
});
