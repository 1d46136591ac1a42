import { readFileSync } from "node:fs";
import { gguf, GGMLQuantizationType } from "@huggingface/gguf";
import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { readHeader } from "../../../src/gguf/header.ts";
import { tensorType } from "../../../src/gguf/tensor-types.ts";
import { buildGguf, buildModel, sourceOf, typed } from "../../gguf-fixture.ts";

const nano = new URL("../../../models/ruminate-nano-q8_0.gguf", import.meta.url);
const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
const concat = (...parts: (readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
const u64 = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);

async function refusal(
  bytes: Uint8Array<ArrayBuffer>,
  size: number | undefined = bytes.byteLength,
): Promise<InferenceError> {
  const error: unknown = await readHeader(sourceOf(bytes, { size })).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!InferenceError.is(error, "format")) throw new Error(`expected a format error, got ${String(error)}`);
  return error;
}

describe("readHeader() reads", () => {
  test("every value type, exact where JavaScript is", async () => {
    const values = {
      u8: typed(0, 255),
      i8: typed(1, -128),
      u16: typed(2, 65535),
      i16: typed(3, -32768),
      u32: 4294967295,
      i32: -5,
    };
    const more = { f32: 0.5, yes: true, s: "\u{FEFF}né", u64: 2n ** 63n, i64: typed(11, -5n), f64: typed(12, Math.PI) };
    const arrays = { strings: ["a", "", "ü".repeat(300)], numbers: [1, 2, 3], none: [] as number[] };
    const { metadata } = await readHeader(sourceOf(buildGguf({ metadata: { ...values, ...more, ...arrays } })));
    expect(Object.fromEntries(metadata)).toEqual({
      u8: 255,
      i8: -128,
      u16: 65535,
      i16: -32768,
      u32: 4294967295,
      i32: -5,
      f32: 0.5,
      yes: true,
      s: "\u{FEFF}né",
      u64: 2n ** 63n,
      i64: -5,
      f64: Math.PI,
      ...arrays,
    });
  });

  test("strings around the lengths and letters that are read the short way", async () => {
    const strings = [0, 1, 23, 24, 25, 255, 256, 257, 70_000].flatMap((length) => [
      "x".repeat(length),
      "é".repeat(length),
      "\0".repeat(length),
    ]);
    const { metadata } = await readHeader(sourceOf(buildGguf({ metadata: { strings } })));
    expect(metadata.get("strings")).toEqual(strings);
  });

  test("keys that are JavaScript's own names as keys", async () => {
    const { metadata } = await readHeader(
      sourceOf(
        buildGguf({
          metadata: [
            ["__proto__", "x"],
            ["constructor", 1],
          ],
        }),
      ),
    );
    expect([...metadata]).toEqual([
      ["__proto__", "x"],
      ["constructor", 1],
    ]);
  });

  test("tensors, with bytes by type and the file's alignment", async () => {
    const tensors = [
      { name: "a", shape: [64, 3], type: 8, bytes: 204 },
      { name: "b", shape: [5] },
    ];
    const header = await readHeader(
      sourceOf(buildGguf({ metadata: { "general.alignment": 64 }, tensors, alignment: 64 })),
    );
    expect(header.alignment).toBe(64);
    expect(header.dataOffset % 64).toBe(0);
    expect(header.tensors).toEqual([
      { name: "a", shape: [64, 3], type: "Q8_0", offset: 0, bytes: 204 },
      { name: "b", shape: [5], type: "F32", offset: 256, bytes: 20 },
    ]);
    expect(header.neededBytes).toBe(header.dataOffset + 276);
  });

  test("the bundled model, as @huggingface/gguf does, without its weights", async () => {
    const bytes = new Uint8Array(readFileSync(nano));
    const source = sourceOf(bytes);
    const header = await readHeader(source);
    const fetch = async (): Promise<Response> => new Response(bytes.slice(0, 2_000_000));
    const theirs = await gguf("https://example.org/nano.gguf", { fetch });
    for (const [key, value] of header.metadata) expect(Reflect.get(theirs.metadata, key), key).toEqual(value);
    expect(header.tensors.map(({ name, shape, type }) => ({ name, shape, type }))).toEqual(
      theirs.tensorInfos.map(({ name, shape, dtype }) => ({
        name,
        shape: shape.map(Number),
        type: GGMLQuantizationType[dtype],
      })),
    );
    expect(header.dataOffset).toBe(Number(theirs.tensorDataOffset));
    expect(header.neededBytes).toBe(bytes.byteLength);
    expect(Math.max(...source.reads.map(([offset, length]) => offset + length))).toBeLessThan(2 ** 20);
  });

  test("a large vocabulary in a few bounded reads", async () => {
    const tokens = Array.from({ length: 30_000 }, (_, index) => `token number ${index}`);
    const source = sourceOf(buildModel({ metadata: { tokens } }));
    const { metadata } = await readHeader(source);
    expect(metadata.get("tokens")).toEqual(tokens);
    expect(source.reads.length).toBeLessThan(12);
    expect(Math.max(...source.reads.map(([, length]) => length))).toBeLessThanOrEqual(4 * 2 ** 20);
  });

  test("a file whose size nobody knows", async () => {
    const bytes = buildModel();
    const header = await readHeader(sourceOf(bytes, { size: undefined }));
    expect(header.sizeBytes).toBe(header.neededBytes);
    expect(header.neededBytes).toBeLessThanOrEqual(bytes.byteLength);
  });

  test("nothing after the abort", async () => {
    const reason = new Error("enough");
    await expect(readHeader(sourceOf(buildModel()), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("readHeader() says what another file looks like", () => {
  test.each([
    ["a web page", text("<!DOCTYPE html><html>")],
    ["safetensors", concat(u64(12_345n), text('{"__metadata__":{}}'))],
    ["zip", concat(text("PK"), [3, 4, 20, 0, 0, 0])],
    ["gzip", Uint8Array.from([31, 139, 8, 0])],
    ["JSON", text('{"error":"Entry not found"}')],
    ["LFS pointer", text("version https://git-lfs.github.com/spec/v1\n")],
    ["old GGML", text("tjgg\u0001\u0000\u0000\u0000")],
    ["pickle", Uint8Array.from([0x80, 2, 0x7d])],
    ["an empty file", new Uint8Array(0)],
    ["plain text", text("Invalid username or password.")],
    ["00 01 02 ff", Uint8Array.from([0, 1, 2, 255])],
  ])("%s", async (what, bytes) => {
    const { message } = await refusal(bytes);
    expect(message).toMatch(/^Cannot read fixture\.gguf: it is not a GGUF model but looks like /);
    expect(message.toLowerCase()).toContain(what.toLowerCase());
  });
});

describe("readHeader() refuses", () => {
  const tensor = { name: "w", shape: [32] };
  const withTensor = (change: object): Uint8Array<ArrayBuffer> => buildGguf({ tensors: [{ ...tensor, ...change }] });
  const value = (type: number, bytes: readonly number[] | Uint8Array): Uint8Array<ArrayBuffer> =>
    buildGguf({ metadata: { k: typed(type, bytes) } });
  // The pair "k" with a value cut off after its type, to which a claim is appended.
  const claim = (type: number, ...rest: (readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> =>
    concat(value(99, []).slice(0, -4), [type, 0, 0, 0], ...rest, new Uint8Array(64));
  const array = (type: number, count: bigint): Uint8Array<ArrayBuffer> => claim(9, [type, 0, 0, 0], u64(count));

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["version 1", buildGguf({ version: 1 }), /version 1; versions 2 and 3/],
    ["version 4", buildGguf({ version: 4 }), /version 4/],
    ["big-endian files", buildGguf({ version: 3 * 2 ** 24 }), /big-endian/],
    ["a tensor count beyond the limit", buildGguf({ tensorCount: 2n ** 64n - 1n }), /tensors; at most/],
    ["a tensor count beyond the file", buildGguf({ tensorCount: 1000 }), /1000 tensors/],
    ["a pair count beyond the file", buildGguf({ pairCount: 60_000 }), /60000 key-value pairs/],
    ["a key longer than the file", concat(buildGguf({ pairCount: 1 }), u64(5000n), text("abcdef")), /key 1 of 1/],
    [
      "a key longer than a key may be",
      concat(buildGguf({ pairCount: 1 }), u64(2n ** 40n), new Uint8Array(32)),
      /at most 65535/,
    ],
    ["an empty key", buildGguf({ metadata: { "": 1 } }), /not a text/],
    [
      "a key twice",
      buildGguf({
        metadata: [
          ["k", 1],
          ["k", 2],
        ],
      }),
      /"k" .* twice/,
    ],
    ["a value type of 13", value(13, [0, 0, 0, 0, 0, 0, 0, 0]), /unknown value type 13/],
    ["a string longer than the file", claim(8, u64(9000n)), /needs 9000 more bytes/],
    ["an array longer than the file", array(0, 2n ** 22n), /4194304 elements/],
    ["an array of 2^64 - 1", array(8, 2n ** 64n - 1n), /elements/],
    ["an array of arrays", array(9, 1n), /arrays, which/],
    ["an array of an unknown type", array(77, 1n), /unknown type 77/],
    ["an alignment of 0", buildGguf({ metadata: { "general.alignment": 0 } }), /alignment is 0/],
    ["an alignment of 24", buildGguf({ metadata: { "general.alignment": 24 } }), /power of two/],
    ["an alignment of 2 MiB", buildGguf({ metadata: { "general.alignment": 2 ** 21 } }), /up to 1048576/],
    ["an alignment that is text", buildGguf({ metadata: { "general.alignment": "32" } }), /power of two/],
    ["no dimensions", withTensor({ shape: [], bytes: 4 }), /0 dimensions/],
    ["five dimensions", withTensor({ shape: [1, 1, 1, 1, 1] }), /5 dimensions/],
    ["a dimension of 0", withTensor({ shape: [32, 0], bytes: 4 }), /empty shape/],
    ["a dimension of 2^64 - 1", withTensor({ shape: [2n ** 64n - 1n], bytes: 4 }), /"w"/],
    ["a product that would wrap around 2^64", withTensor({ shape: [2 ** 32, 2 ** 32], bytes: 4 }), /impossible shape/],
    [
      "a product that would wrap to 4",
      withTensor({ shape: [2n ** 31n, 2n ** 31n, 4n, 1n], bytes: 4 }),
      /impossible shape/,
    ],
    ["a removed tensor type", withTensor({ type: 31 }), /type 31/],
    ["an unknown tensor type", withTensor({ type: 4_000_000_000 }), /type 4000000000/],
    ["a row that is no multiple of the block", withTensor({ shape: [33], type: 8 }), /multiple of 32/],
    ["a name of 64 bytes", withTensor({ name: "n".repeat(64) }), /64 bytes long; at most 63/],
    ["an offset that is not aligned", withTensor({ offset: 8 }), /multiple of the alignment/],
    ["an offset behind the file's end", withTensor({ offset: 2 ** 40 }), /cut short or damaged/],
    ["an offset near 2^64", withTensor({ offset: 2n ** 64n - 32n }), /"w"/],
    ["a file cut inside its weights", buildModel().slice(0, -100), /cut short or damaged/],
    ["a file cut inside its tensors", buildModel({ headerOnly: true }).slice(0, -5), /cut short or damaged/],
  ])("%s", async (_what, bytes, message) => {
    expect((await refusal(bytes)).message).toMatch(message);
  });

  test("tensors that overlap, whatever their order", async () => {
    const tensors = [
      { name: "a", shape: [64], offset: 128 },
      { name: "b", shape: [64], offset: 0 },
    ];
    expect((await refusal(buildGguf({ tensors }))).message).toMatch(/"a" begins at 128, inside "b", which ends at 256/);
  });

  test("a tensor twice", async () => {
    expect((await refusal(buildGguf({ tensors: [tensor, tensor] }))).message).toMatch(/"w" is there twice/);
  });

  test("names that are not UTF-8", async () => {
    const bytes = withTensor({});
    bytes[bytes.indexOf("w".charCodeAt(0), 8)] = 0xff;
    expect((await refusal(bytes)).message).toMatch(/not UTF-8/);
  });

  test("any file that ends early, at every byte", async () => {
    const bytes = buildModel();
    const { neededBytes } = await readHeader(sourceOf(bytes));
    for (let length = 0; length < neededBytes; length += length < 700 ? 1 : 97) {
      await refusal(bytes.slice(0, length));
    }
  });
});

describe("tensorType()", () => {
  test("names every type that @huggingface/gguf knows, by the same number", () => {
    const theirs = Object.entries(GGMLQuantizationType).filter(([, id]) => typeof id === "number");
    for (const [name, id] of theirs) expect(tensorType(Number(id))?.name, name).toBe(name);
    const ours = Array.from({ length: 100 }, (_, id) => tensorType(id)).filter((type) => type !== undefined);
    expect(ours.length).toBe(theirs.length);
  });
});
