import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAliases } from "../../../src/engine/wllama-prompt.ts";
import { applyPatches, vocabularyPatches } from "../../../src/engine/wllama-vocabulary.ts";
import { nanoFacts, nanoPath } from "./nano.ts";

const file = new Uint8Array(readFileSync(nanoPath));
const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
  file.slice(offset, offset + length);
const aliases = createAliases(nanoFacts.controlTokens);

describe("vocabularyPatches()", () => {
  test("finds the bytes of each control token", async () => {
    const patches = await vocabularyPatches(read, file.length, aliases);
    const found = patches.map(({ offset, bytes }) =>
      new TextDecoder().decode(file.subarray(offset, offset + bytes.length)),
    );
    expect(found.toSorted()).toEqual([...nanoFacts.controlTokens.keys()].toSorted());
  });

  test("reads nothing where there is nothing to respell", async () => {
    const unread = (): never => expect.fail("it read");
    expect(await vocabularyPatches(unread, file.length, [])).toEqual([]);
  });

  test("refuses a vocabulary that is not the one it was told of", async () => {
    const wrong = createAliases(new Map([["<|robot|>", 1019]]));
    await expect(vocabularyPatches(read, file.length, wrong)).rejects.toMatchObject({ code: "format" });
    const beyond = createAliases(new Map([["<|user|>", 5000]]));
    await expect(vocabularyPatches(read, file.length, beyond)).rejects.toMatchObject({ code: "format" });
  });

  test("refuses a header with any one byte changed, or finds the same bytes, and never hangs", async () => {
    const [{ offset: end = 0 } = {}] = (await vocabularyPatches(read, file.length, aliases)).slice(-1);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 8, max: end }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = file.slice(0, end + 64);
        broken[at] = (broken[at] ?? 0) ^ change;
        const readBroken = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
          broken.slice(offset, offset + length);
        const outcome = await vocabularyPatches(readBroken, broken.length, aliases).catch((error: unknown) => error);
        if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ code: "format" });
        else expect(outcome).toHaveLength(aliases.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe("applyPatches()", () => {
  test("does the same whether a file is read whole or in ranges", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 4 }), fc.array(fc.nat(100), { maxLength: 6 }), (places, cuts) => {
        const patches = [...new Set(places)]
          .toSorted((a, b) => a - b)
          .map((offset) => ({ offset: offset * 2, bytes: Uint8Array.of(200, 201) }));
        const whole = new Uint8Array(128);
        applyPatches(whole, 0, patches);
        const ranges = new Uint8Array(128);
        const edges = [0, ...cuts.toSorted((a, b) => a - b), 128];
        for (const [index, from] of edges.entries()) {
          applyPatches(ranges.subarray(from, edges[index + 1] ?? 128), from, patches);
        }
        expect(ranges).toEqual(whole);
      }),
    );
  });
});
