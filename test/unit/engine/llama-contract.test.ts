import { expect, test } from "vitest";
import { contract, run } from "./contract.ts";
import { asking, nanoContext, startNanoInThread, startNanoLlama, sumPrompt } from "./nano.ts";

contract({
  name: "llama, in a worker, one thread",
  create: () => startNanoLlama(),
  context: nanoContext,
  prompt: sumPrompt,
  controlToken: { text: "<|user|>", id: 1019 },
});

contract({
  name: "llama, in a worker, two threads",
  create: () => startNanoLlama({ threads: 2 }),
  context: nanoContext,
  prompt: sumPrompt,
  controlToken: { text: "<|user|>", id: 1019 },
});

contract({
  name: "llama, in this thread",
  create: () => startNanoInThread(),
  context: nanoContext,
  prompt: sumPrompt,
  controlToken: { text: "<|user|>", id: 1019 },
});

test("complete() thinks the sum through and answers it", async () => {
  const engine = await startNanoLlama();
  expect((await run(engine, sumPrompt)).text).toBe(
    "47+85\nrev 74+58\n7+5+0=12 2\n4+8+1=13 32\ncarry 132\n</think>\n132",
  );
  expect((await run(engine, asking("What is 12 + 7?"))).text).toMatch(/19$/);
  await engine.close();
});
