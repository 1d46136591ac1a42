import { expect, test } from "vitest";
import { run } from "../../scripts/command.ts";

const smoke = "test/packaging/unbuilt-smoke.ts";

test.each([
  ["Node 24", ["node", smoke]],
  ["Deno", ["deno", "run", "--allow-all", smoke]],
  ["Bun", ["bun", smoke]],
] satisfies [string, [string, ...string[]]][])("the unbuilt sources run in %s", async (_, command) => {
  const { code, stdout, output } = await run(command, { timeoutMs: 110_000 });
  expect({ code, output }).toEqual({ code: 0, output });
  expect(JSON.parse(stdout.trim())).toEqual({ spoke: true, prompt: expect.any(Number), split: "a" });
});
