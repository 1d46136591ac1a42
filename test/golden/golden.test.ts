import { readFile } from "node:fs/promises";

import { expect, test } from "vitest";

import { goldenUrl, makeGolden, stringifyGolden } from "./make.ts";

test(
  "golden.json is what native llama.cpp makes of the bundled model today",
  { timeout: 120_000 },
  async () => {
    const committed = await readFile(goldenUrl, "utf8");
    expect(stringifyGolden(await makeGolden())).toBe(committed);
  },
);
