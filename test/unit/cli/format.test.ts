import { expect, test } from "vitest";
import { fileSize, grouped, largeCount, memorySize, seconds, statsLine, table } from "../../../src/cli/format.ts";
import type { Result } from "../../../src/cli/sdk.ts";

test.each([
  [0, "0 B", "0 B"],
  [999, "999 B", "999 B"],
  [1000, "1.0 kB", "1000 B"],
  [4_389_312, "4.4 MB", "4.2 MiB"],
  [2 ** 34, "17.2 GB", "16.0 GiB"],
  [2 ** 60, "1152921.5 TB", "1048576.0 TiB"],
])("fileSize() and memorySize() of %i", (bytes, file, memory) => {
  expect([fileSize(bytes), memorySize(bytes)]).toEqual([file, memory]);
});

test("largeCount() and grouped() round for people", () => {
  expect([9_400_279_040, 4_072_704, 20_000_000, 1024].map(largeCount)).toEqual([
    "9.4 billion",
    "4.07 million",
    "20 million",
    "1,024",
  ]);
  expect(grouped(32768)).toBe("32,768");
});

test("seconds() keeps two digits below ten", () => {
  expect([seconds(123), seconds(12_345)]).toEqual(["0.12 s", "12.3 s"]);
});

test("table() aligns, and keeps a file's control characters from the terminal", () => {
  expect(
    table([
      ["name", "a\u001b[2Jb"],
      ["architecture", "glm4"],
    ]),
  ).toBe("name          a\u{fffd}[2Jb\narchitecture  glm4\n");
});

const result: Result = {
  text: "",
  reasoning: "",
  message: { role: "assistant", content: "" },
  finishReason: "stop",
  reasoningEnd: "model",
  usage: { prompt: 1200, cached: 0, text: 5, reasoning: 34 },
  timings: { loadMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 120, tokensPerSecond: 140.04 },
};

test("statsLine() counts prompt, thought and answer", () => {
  expect(statsLine(result)).toBe(
    "1,200 prompt tokens, 34 thought, 5 answer | 140.0 tokens/s | first token after 0.12 s",
  );
});

test("statsLine() says what was cached and what was cut", () => {
  const line = statsLine({
    ...result,
    finishReason: "length",
    reasoningEnd: "budget",
    usage: { ...result.usage, cached: 900 },
  });
  expect(line).toContain("1,200 prompt tokens (900 cached)");
  expect(line).toContain("thoughts ended at the budget | cut at the token limit");
});
