import { describe, expect, test } from "vitest";
import { hi, postOf, serving } from "./serving.ts";
import type { Serving } from "./serving.ts";

const path = "/v1/chat/completions";

/** A model whose answers end when they are let, the oldest first. */
function held(maxQueue: number): Serving & { release: () => void; running: () => Promise<void> } {
  const waiting: (() => void)[] = [];
  let started = Promise.withResolvers<void>();
  const made = serving(
    async function* script() {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      yield "hm";
      started.resolve();
      await promise;
      yield "\n</think>\n";
      yield "Yes.";
    },
    { options: { maxQueue } },
  );
  return {
    ...made,
    release: () => waiting.shift()?.(),
    running: async () => {
      await started.promise;
      started = Promise.withResolvers();
    },
  };
}

/** A script without end. */
function* endless(): Generator<string> {
  for (;;) yield " hm";
}

describe("the queue", () => {
  test("lets one in and so many wait, then answers 429 until one has left", async () => {
    const { post, release, running } = held(1);
    const first = post(path, hi);
    await running();
    const second = post(path, { ...hi, stream: true });
    const third = await post(path, hi);
    expect(third).toMatchObject({ status: 429, body: { error: { type: "rate_limit_error", code: "queue_full" } } });
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
    release();
    expect((await first).status).toBe(200);
    await running();
    const fourth = post(path, hi);
    release();
    expect(await second).toMatchObject({ status: 200, body: expect.stringContaining("[DONE]") });
    await running();
    release();
    expect((await fourth).status).toBe(200);
  });

  test("of no length lets nobody wait", async () => {
    const { post, get, release, running } = held(0);
    const first = post(path, hi);
    await running();
    expect((await post(path, hi)).status).toBe(429);
    expect((await post("/v1/completions", { prompt: "a" })).status).toBe(429);
    expect((await post("/v1/embeddings", { input: "a" })).status).toBe(429);
    expect((await get("/health")).status).toBe(200);
    release();
    expect((await first).status).toBe(200);
  });

  test("counts nobody who was refused or failed", async () => {
    const { post } = serving(undefined, { options: { maxQueue: 0 } });
    const long = { messages: [{ role: "user", content: "word ".repeat(5000) }] };
    for (const body of [{ ...hi, n: 2 }, long, { ...long, stream: true }, { ...hi, tool_choice: "required" }]) {
      expect((await post(path, body)).status).toBe(400);
    }
    expect((await post("/v1/embeddings", { input: "a" })).status).toBe(501);
    expect((await post(path, hi)).status).toBe(200);
  });
});

describe("a client that goes", () => {
  const options = {
    options: { maxQueue: 0 },
    context: { size: 100_000, kvType: "f16" },
    contextTrained: 100_000,
  } as const;

  test("while it waits for the whole answer stops its generation", async () => {
    const { handler, post, engine } = serving(endless, options);
    const client = new AbortController();
    const answer = handler(postOf(path, hi, { signal: client.signal }));
    while (engine.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    client.abort();
    expect((await answer).status).toBe(499);
    expect(engine.cancelled).toBe(1);
    engine.script(() => "\n</think>\nYes.");
    expect((await post(path, hi)).status).toBe(200);
  });

  test.each(["the signal of its request", "the body of its answer"])(
    "in a stream, told by %s, does too",
    async (by) => {
      const told: unknown[] = [];
      const { handler, post, engine } = serving(endless, {
        ...options,
        options: { maxQueue: 0, onerror: (error) => told.push(error) },
      });
      const client = new AbortController();
      const response = await handler(postOf(path, { ...hi, stream: true }, { signal: client.signal }));
      const reader = response.body?.getReader();
      await reader?.read();
      if (by.startsWith("the signal")) client.abort();
      else await reader?.cancel();
      // The stream ends, by itself or because it was cancelled.
      while (reader && !(await reader.read()).done);
      expect(engine.cancelled).toBe(1);
      engine.script(() => "\n</think>\nYes.");
      expect((await post(path, hi)).status).toBe(200);
      expect(told).toEqual([]);
    },
  );

  test("while it waits for its turn gives its place up", async () => {
    const { handler, post, release, running } = held(1);
    const first = post(path, hi);
    await running();
    const client = new AbortController();
    const second = handler(postOf(path, { ...hi, stream: true }, { signal: client.signal }));
    await Promise.resolve();
    client.abort();
    expect((await second).status).toBe(499);
    const third = post(path, hi);
    release();
    expect((await first).status).toBe(200);
    await running();
    release();
    expect((await third).status).toBe(200);
  });

  test("that reads nothing makes nobody wait", async () => {
    const { handler, post } = serving(undefined, { options: { maxQueue: 1 } });
    const unread = await handler(postOf(path, { ...hi, stream: true }));
    expect((await post(path, hi)).status).toBe(200);
    expect(await unread.text()).toContain("[DONE]");
  });
});
