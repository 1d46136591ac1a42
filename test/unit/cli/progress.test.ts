import { expect, test } from "vitest";
import { Progress, progressLine } from "../../../src/cli/progress.ts";
import { createScriptedHost } from "./scripted-host.ts";

test("progressLine() tells phase, share, bytes and rate", () => {
  const event = { phase: "fetch", loaded: 1_500_000_000, total: 6_000_000_000, file: "a.gguf" } as const;
  expect(progressLine(event, { elapsedMs: 10_000, columns: 120 })).toBe(
    "Fetching  a.gguf  [######------------------]  25 %  1.5 GB of 6.0 GB  150.0 MB/s  30 s left",
  );
});

test("progressLine() counts only what came for the rate, and tells long times in minutes and hours", () => {
  const event = { phase: "fetch", loaded: 2_000_000_000, total: 6_000_000_000, file: "a" } as const;
  const line = (elapsedMs: number): string => progressLine(event, { elapsedMs, columns: 120, from: 1_500_000_000 });
  expect(line(50_000)).toMatch(/10\.0 MB\/s {2}7 min left$/);
  expect(line(1_000_000)).toMatch(/0\.5 MB\/s {2}2\.2 h left$/);
});

test("progressLine() does without a total", () => {
  expect(progressLine({ phase: "load", loaded: 2048 }, { elapsedMs: 0, columns: 80 })).toBe("Loading  2.0 kB");
});

test("progressLine() never fills the last column, where a terminal would wrap, nor takes a file's control characters", () => {
  const line = progressLine(
    { phase: "verify", loaded: 1, total: 2, file: `\u001b[2J${"x".repeat(200)}` },
    { elapsedMs: 1, columns: 40 },
  );
  expect(line).toHaveLength(39);
  expect(line).not.toContain("\u001b");
});

test("Progress shows nothing of a load that is over at once", async () => {
  const host = createScriptedHost({ arguments: [], stderrIsTTY: true });
  const progress = new Progress(host.stderr, host.now);
  progress.update({ phase: "load", loaded: 0, total: 100 });
  host.advance(100);
  progress.update({ phase: "load", loaded: 100, total: 100 });
  await progress.clear();
  expect(host.err()).toBe("");
});

test("Progress redraws no oftener than can be seen, and takes its line away", async () => {
  const host = createScriptedHost({ arguments: [], stderrIsTTY: true });
  const progress = new Progress(host.stderr, host.now);
  for (let loaded = 0; loaded <= 1000; loaded++) {
    host.advance(1);
    progress.update({ phase: "fetch", loaded, total: 1000 });
  }
  const drawn = host.err().split("\r").length - 1;
  expect(drawn).toBeGreaterThanOrEqual(10);
  expect(drawn).toBeLessThanOrEqual(13);
  expect(host.err()).toContain("100 %");
  await progress.clear();
  expect(host.err().endsWith("\r\u001b[2K")).toBe(true);
});

test("Progress measures the rate of each phase by itself", () => {
  const host = createScriptedHost({ arguments: [], stderrIsTTY: true });
  const progress = new Progress(host.stderr, host.now);
  progress.update({ phase: "fetch", loaded: 0, total: 10_000_000 });
  host.advance(10_000);
  progress.update({ phase: "fetch", loaded: 10_000_000, total: 10_000_000 });
  progress.update({ phase: "load", loaded: 0, total: 10_000_000 });
  host.advance(1000);
  progress.update({ phase: "load", loaded: 10_000_000, total: 10_000_000 });
  expect(
    host
      .err()
      .split("\r")
      .slice(1)
      .map((line) => line.split("  ").at(-1)),
  ).toEqual(["1.0 MB/s", "0 B of 10.0 MB", "10.0 MB/s"]);
});
