// Our modules beside native llama.cpp of the same release, which runs here and now: nothing that is expected is written
// down. Sums of floats depend on their order, and activations are rounded, so that no two ways to compute agree to the last
// bit; how far llama.cpp's own ways are from each other tells how far ours may be.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Variant } from "../../src/engine/variant.ts";
import type { WasmModule } from "../../src/wasm/module.ts";
import { caseNames, makeCases } from "./logits/cases.ts";
import type { NativeAnswer } from "./logits/native-process.ts";
import { avx2Builds, runNative } from "./logits/native.ts";
import { runOurs, startOurs } from "./logits/ours.ts";
import type { OurTrace } from "./logits/ours.ts";
import { bestOf, difference, leadOf, promptTokens } from "./logits/trace.ts";
import type { Difference, NativeTrace, RunCase } from "./logits/trace.ts";

/**
 * How many times as far from native AVX2 as llama.cpp's other ways ours may be. Equally good arithmetic gives 0.8 to 1.2
 * of the root mean square; activations that are cut where they should be rounded give 1.9 and more.
 */
const slack: Difference = { rms: 1.5, largest: 2 };
/** Below this nothing is wrong, however well others agree. */
const floor: Difference = { rms: 0.004, largest: 0.02 };

const variants: ReadonlyMap<string, Variant> = new Map([
  ["ruminate-32", { bits: 32, shared: false, simd: "relaxed" }],
  ["ruminate-32-fixed", { bits: 32, shared: false, simd: "fixed" }],
  ["ruminate-64-threads", { bits: 64, shared: true, simd: "relaxed" }],
]);

let folder = "";
let cases: readonly RunCase[] = [];
let avx2: NativeAnswer;
let others: readonly NativeAnswer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate-golden-"));
  cases = await makeCases(folder);
  const builds = await avx2Builds(folder);
  avx2 = await runNative({ cases }, builds);
  const request = { cases, continuations: avx2.traces.map(({ greedy }) => greedy) };
  // The best build is AVX2's itself where a machine has no more; attention without rounding always differs.
  others = [await runNative(request), await runNative({ ...request, exactAttention: true }, builds)];
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`There are ${list.length}, and none is number ${index}`);
  return item;
}

/** What llama.cpp's ways differ by. */
function yardstick(index: number): Difference {
  const reference = at(avx2.traces, index);
  const all = others.map(({ traces }) => difference(at(traces, index).logits, reference.logits));
  return { rms: Math.max(...all.map(({ rms }) => rms)), largest: Math.max(...all.map(({ largest }) => largest)) };
}

function bound(index: number): Difference {
  const { rms, largest } = yardstick(index);
  return {
    rms: Math.max(floor.rms, slack.rms * rms),
    largest: Math.max(floor.largest, slack.largest * largest),
  };
}

describe("runNative", () => {
  test("the reference computes with AVX2 and nothing wider", () => {
    expect(avx2.systemInfo).toContain("AVX2 = 1");
    expect(avx2.systemInfo).not.toMatch(/AVX512|AMX|AVX_VNNI/);
  });

  test("YaRN changes the logits by far more than another way does", () => {
    for (let plain = 0; plain < cases.length; plain += 2) {
      // After the prompt: their continuations part.
      const [before, after] = [plain, plain + 1].map((index) => at(avx2.traces, index).logits.slice(0, 1));
      const { rms } = difference(before ?? [], after ?? []);
      expect(rms).toBeGreaterThan(5 * bound(plain).rms);
    }
  });
});

describe.each([...variants])("%s", (_, variant) => {
  let module: WasmModule;
  const runs = new Map<number, Promise<OurTrace>>();

  beforeAll(async () => {
    module = await startOurs(variant);
  });

  /** Each case runs once, for the first test that wants it. */
  function run(index: number): Promise<OurTrace> {
    const running = runs.get(index) ?? runOurs(module, at(cases, index), at(avx2.traces, index).greedy);
    runs.set(index, running);
    return running;
  }

  describe.each(caseNames.map((name, index) => ({ name, index })))("$name", ({ index }) => {
    const reference = (): NativeTrace => at(avx2.traces, index);

    test("tokenize() gives native llama.cpp's tokens", async () => {
      const { tokens } = await run(index);
      expect(tokens.length).toBeGreaterThanOrEqual(promptTokens);
      expect(tokens).toEqual(reference().tokens);
    });

    test("logits() are as close to native AVX2's as those of llama.cpp's other ways", async () => {
      const ours = difference((await run(index)).logits, reference().logits);
      const most = bound(index);
      const report = `ours ${JSON.stringify(ours)}, native ones ${JSON.stringify(yardstick(index))}`;
      expect(ours.rms, report).toBeLessThanOrEqual(most.rms);
      expect(ours.largest, report).toBeLessThanOrEqual(most.largest);
    });

    test("the likeliest token is native llama.cpp's, wherever that leads by more than ways differ", async () => {
      const { logits, text } = await run(index);
      const { greedy, logits: theirs, text: theirText } = reference();
      const { largest } = bound(index);
      const clear = theirs.map((row) => leadOf(row) > largest);
      expect(logits.map(bestOf).filter((_, step) => clear[step])).toEqual(greedy.filter((_, step) => clear[step]));
      expect(text).toBe(theirText);
    });
  });
});
