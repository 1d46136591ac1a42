import { afterEach, describe, expect, test, vi } from "vitest";
import { probeFeatures, supportsMemory64, threadSupport } from "../../../src/platform/features.ts";

afterEach(() => void vi.unstubAllGlobals());

describe("probeFeatures()", () => {
  test("finds what Node 24 has", async () => {
    const features = await probeFeatures();
    expect(features).toMatchObject({ simd: "relaxed", memory64: true, webgpu: false, maxMemory: 2 ** 34 });
    expect(features.threads).toBeGreaterThanOrEqual(1);
  });

  test("says a sentence for each thing that is missing", async () => {
    vi.stubGlobal("WebAssembly", { validate: () => false });
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const { why, ...features } = await probeFeatures();
    expect(features).toMatchObject({ threads: 1, simd: "none", memory64: false, webgpu: false });
    for (const thing of ["thread", "SIMD", "64-bit memory", "WebGPU"]) {
      expect(why.filter((sentence) => sentence.includes(thing))).toHaveLength(1);
    }
    for (const sentence of why) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });
});

describe("supportsMemory64()", () => {
  test("asks for 64-bit tables too, which some hosts lack", () => {
    vi.stubGlobal("WebAssembly", {
      // Memory yes (flag 4 in section 5), tables no (section 4).
      validate: (bytes: Uint8Array) => bytes[8] !== 4,
    });
    expect(supportsMemory64()).toBe(false);
  });
});

describe("threadSupport()", () => {
  test("tells a page how to get threads", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    vi.stubGlobal("process", undefined);
    vi.stubGlobal("document", {});
    vi.stubGlobal("navigator", { userAgent: "Firefox", hardwareConcurrency: 8 });
    expect(threadSupport()).toEqual({ threads: 1, why: [expect.stringContaining("Cross-Origin-Embedder-Policy")] });
  });

  test("gives as many as there are cores", () => {
    vi.stubGlobal("navigator", { hardwareConcurrency: 6 });
    expect(threadSupport()).toEqual({ threads: 6, why: [] });
  });
});
