import { afterEach, describe, expect, test, vi } from "vitest";
import { chooseThreads } from "../../../src/engine/choose-threads.ts";

const small = 5e6;
const middle = 2e8;
const large = 5e9;

afterEach(() => void vi.unstubAllGlobals());
const cores = (hardwareConcurrency: number): void => void vi.stubGlobal("navigator", { hardwareConcurrency });

describe("chooseThreads()", () => {
  test.each([
    [small, 16, 1],
    [middle, 2, 1],
    [middle, 6, 3],
    [large, 2, 2],
    [large, 64, 8],
    [large, 1, 1],
  ])("gives a model of %d bytes on %d cores %d threads by itself", (bytes, count, threads) => {
    cores(count);
    expect(chooseThreads("auto", bytes).threads).toBe(threads);
  });

  test("does as it is told where it can", () => {
    cores(2);
    expect(chooseThreads(4, small)).toEqual({ threads: 4, why: [] });
    expect(chooseThreads(1, large)).toEqual({ threads: 1, why: [] });
  });

  test("says why where it can't", () => {
    cores(8);
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(chooseThreads(4, large)).toEqual({ threads: 1, why: [expect.stringContaining("SharedArrayBuffer")] });
    expect(chooseThreads(1, large)).toEqual({ threads: 1, why: [] });
  });
});
