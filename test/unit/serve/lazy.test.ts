import { describe, expect, test } from "vitest";
import { InferenceError, type Model } from "../../../src/index.ts";
import { createHandler } from "../../../src/openai.ts";
import { scriptedModel } from "../api/scripted-model.ts";
import { hi, postOf, thinks } from "./serving.ts";

const path = "/v1/chat/completions";
const get = (path: string, init?: RequestInit): Request => new Request(`http://localhost${path}`, init);
const keyed = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

/** Loads the model when it is released, and counts how often it was asked to. */
function heldLoad(): { load: () => Promise<Model>; loads: () => number; release: () => void } {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  let loads = 0;
  const load = async (): Promise<Model> => {
    loads += 1;
    await promise;
    return scriptedModel(thinks).model;
  };
  return { load, loads: () => loads, release };
}

describe("createHandler() given what loads the model", () => {
  test("loads it once, for the first who need it, and not before", async () => {
    const { load, loads, release } = heldLoad();
    const handler = createHandler(load, { apiKey: "secret" });
    expect(await (await handler(get("/health"))).json()).toEqual({ status: "ok" });
    const refused = [postOf(path, hi), postOf(path, hi, keyed("wrong")), get("/v1/models")];
    expect(await Promise.all(refused.map(async (request) => (await handler(request)).status))).toEqual([401, 401, 401]);
    expect((await handler(new Request("http://localhost/nowhere", keyed("secret")))).status).toBe(404);
    expect((await handler(new Request(`http://localhost${path}`, keyed("secret")))).status).toBe(405);
    expect(loads()).toBe(0);
    const first = [1, 2, 3].map(() => handler(postOf(path, hi, keyed("secret"))));
    release();
    for (const response of await Promise.all(first)) {
      expect(await response.json()).toMatchObject({
        model: "ruminate-nano",
        choices: [{ message: { content: "Yes it is." } }],
      });
    }
    expect(loads()).toBe(1);
  });

  test("answers 503 when it can't be loaded, tells why once, and only to the server, then tries again", async () => {
    const told: unknown[] = [];
    const failure = new Error("https://models.example/secret-place is not there");
    const started = Promise.withResolvers<void>();
    const loading = Promise.withResolvers<never>();
    const loads = [
      () => {
        started.resolve();
        return loading.promise;
      },
      (): never => {
        throw failure;
      },
      () => scriptedModel(thinks).model,
    ];
    const handler = createHandler(() => loads.shift()?.() ?? Promise.reject(new Error("a third load")), {
      onerror: (error) => told.push(error),
    });
    const first = handler(postOf(path, hi));
    await started.promise;
    const second = handler(get("/v1/models"));
    // It has nothing to wait for but the load.
    await new Promise((resolve) => setTimeout(resolve, 0));
    loading.reject(failure);
    const both = await Promise.all([first, second]);
    expect(loads.length).toBe(2);
    for (const response of [...both, await handler(postOf(path, hi))]) {
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ error: { type: "server_error", code: "model_not_loaded" } });
      expect(text).not.toContain("secret-place");
    }
    expect(told).toEqual([failure, failure]);
    expect((await handler(get("/health"))).status).toBe(200);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    expect((await handler(postOf(path, hi))).status).toBe(200);
  });

  test("lets a client go while it loads, and its place with it; the next one has the load", async () => {
    const { load, loads, release } = heldLoad();
    const handler = createHandler(load, { maxQueue: 0 });
    for (const ask of [(init: RequestInit) => postOf(path, hi, init), (init: RequestInit) => get("/v1/models", init)]) {
      const client = new AbortController();
      const asked = handler(ask({ signal: client.signal }));
      while (loads() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      client.abort();
      // Nothing has been loaded yet, and nothing will be before this answer.
      expect((await asked).status).toBe(499);
    }
    const next = handler(postOf(path, hi));
    release();
    expect((await next).status).toBe(200);
    expect(loads()).toBe(1);
  });

  test("has the queue's bound for those who wait for the load, and sends the others away at once", async () => {
    const loading = Promise.withResolvers<void>();
    const handler = createHandler(
      async () => {
        await loading.promise;
        return scriptedModel(thinks).model;
      },
      { maxQueue: 1 },
    );
    const answered: number[] = [];
    const crowd = Array.from({ length: 20 }, async () => answered.push((await handler(postOf(path, hi))).status));
    while (answered.length < 18) await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await handler(get("/v1/models"))).status).toBe(429);
    expect((await handler(get("/health"))).status).toBe(200);
    expect(answered).toEqual(Array.from({ length: 18 }, () => 429));
    loading.resolve();
    await Promise.all(crowd);
    expect(answered.slice(18)).toEqual([200, 200]);
    expect((await handler(get("/v1/models"))).status).toBe(200);
  });

  test("loads nothing for a request that is wrong, whatever the model", async () => {
    let loads = 0;
    const handler = createHandler(
      () => {
        loads += 1;
        return scriptedModel(thinks).model;
      },
      { modelId: "glm", maxBodyBytes: 200 },
    );
    const status = async (body: object, init?: RequestInit): Promise<number> =>
      (await handler(postOf(path, body, init))).status;
    expect(await status(hi, { headers: { "content-type": "text/plain" } })).toBe(415);
    expect(await status({ messages: [{ role: "user", content: "x".repeat(200) }] })).toBe(413);
    expect(await status([])).toBe(400);
    expect(await status({ ...hi, n: 2 })).toBe(400);
    expect(await status({ ...hi, model: "gpt-9" })).toBe(404);
    expect(await status(hi, { signal: AbortSignal.abort() })).toBe(499);
    expect(loads).toBe(0);
    expect(await status({ ...hi, model: "glm" })).toBe(200);
  });

  test("answers 404 for another model when it knows its own name, and keeps no place for it", async () => {
    const handler = createHandler(() => scriptedModel(thinks).model, { maxQueue: 0 });
    for (let round = 0; round < 2; round += 1) {
      const response = await handler(postOf(path, { ...hi, model: "gpt-9" }));
      expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "model_not_found" } }]);
    }
    expect((await handler(postOf(path, hi))).status).toBe(200);
  });

  test.each([
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["a path", "model.gguf", "a string"],
    ["an object that can't chat", {}, "an object that is no model"],
    ["a model without info", { chat: () => {} }, "an object that is no model"],
  ])("answers 503 when what loads it gives %s, and tells the server what was wanted", async (_what, given, named) => {
    const told: unknown[] = [];
    const made: unknown[] = [given];
    const handler = createHandler(() => (made.length > 0 ? made.shift() : scriptedModel(thinks).model) as never, {
      onerror: (error) => told.push(error),
    });
    const response = await handler(postOf(path, hi));
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: "model_not_loaded" } }]);
    expect(told).toEqual([expect.any(TypeError)]);
    expect(String(told[0])).toContain(`returned ${named}; it must return a model`);
    expect((await handler(postOf(path, hi))).status).toBe(200);
  });

  test("loads another in place of one that crashed or was closed", async () => {
    const made: ReturnType<typeof scriptedModel>[] = [];
    const handler = createHandler(() => {
      const scripted = scriptedModel(thinks);
      made.push(scripted);
      return scripted.model;
    });
    expect((await handler(postOf(path, hi))).status).toBe(200);
    made[0]?.engine.crash();
    expect((await handler(postOf(path, hi))).status).toBe(503);
    expect((await handler(get("/health"))).status).toBe(200);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    await made[1]?.model.close();
    expect((await handler(postOf(path, hi))).status).toBe(503);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    expect(made.length).toBe(3);
    expect(made.map(({ closed }) => closed())).toEqual([1, 1, 0]);
  });

  test("closes one that crashed, which nobody waits for, and tells what goes wrong with it", async () => {
    const told: unknown[] = [];
    const made: ReturnType<typeof scriptedModel>[] = [];
    const handler = createHandler(
      () => {
        const scripted = scriptedModel(thinks);
        made.push(scripted);
        return scripted.model;
      },
      { onerror: (error) => told.push(error) },
    );
    expect((await handler(postOf(path, hi))).status).toBe(200);
    const [first] = made;
    const closing = Promise.withResolvers<void>();
    let closes = 0;
    if (first) {
      first.model.close = () => {
        closes += 1;
        return closing.promise;
      };
    }
    first?.engine.crash();
    const stream = await handler(postOf(path, { ...hi, stream: true }));
    expect(stream.status).toBe(503);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    expect([made.length, closes]).toEqual([2, 1]);
    const failure = new Error("its files can't be let go");
    closing.reject(failure);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(told).toEqual([expect.objectContaining({ code: "crashed" }), failure]);
  });

  test("leaves what still runs on one that failed alone, and closes it then", async () => {
    const crash = new InferenceError("crashed", "Cannot go on: the server failed while it answered");
    const release = Promise.withResolvers<void>();
    async function* held(): AsyncGenerator<string> {
      yield "hm";
      await release.promise;
      yield* ["\n</think>\n", "Yes."];
    }
    const made: ReturnType<typeof scriptedModel>[] = [];
    const handler = createHandler(() => {
      const scripted = scriptedModel(made.length === 0 ? held : thinks);
      scripted.model.embed = () => Promise.reject(crash);
      made.push(scripted);
      return scripted.model;
    });
    const running = await handler(postOf(path, { ...hi, stream: true }));
    expect((await handler(postOf("/v1/embeddings", { input: "a" }))).status).toBe(503);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    expect(made.map(({ closed }) => closed())).toEqual([0, 0]);
    release.resolve();
    expect(await running.text()).toContain("[DONE]");
    expect(made.map(({ closed }) => closed())).toEqual([1, 0]);
  });

  test("refuses what is neither a model nor loads one", () => {
    for (const wrong of [undefined, "model.gguf", { chat: () => {} }, Promise.resolve(scriptedModel(thinks).model)]) {
      expect(() => createHandler(wrong as never)).toThrow(TypeError);
    }
  });
});
