import { expect, test } from "vitest";
import { run } from "./contract.ts";
import { startNanoLlama, sumPrompt } from "./nano.ts";

const loads = 50;
const settled = 10;
/** Bytes; one engine that stays takes 32 MiB of its own memory alone. */
const mostGrowth = 200 * 2 ** 20;

test(`close() gives the memory of ${loads} loads back`, { timeout: 900_000 }, async () => {
  let before = 0;
  for (let load = 0; load < loads; load += 1) {
    if (load === settled) before = process.memoryUsage().rss;
    const engine = await startNanoLlama({ threads: 1 + (load % 2) });
    expect((await run(engine, sumPrompt, { maxTokens: 2 })).tokens).toBe(2);
    await engine.close();
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(mostGrowth);
});
