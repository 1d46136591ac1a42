import { describe, expect, test } from "vitest";
import { createHandler } from "../../../src/openai.ts";
import { scriptedModel } from "../api/scripted-model.ts";
import { hi, postOf, thinks } from "./serving.ts";

const path = "/v1/chat/completions";
const get = (path: string): Request => new Request(`http://localhost${path}`);
const keyed = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

describe("createHandler() given what loads the model", () => {
  test("loads it once, for the first who need it, and not before", async () => {
    let loads = 0;
    const loading = Promise.withResolvers<void>();
    const handler = createHandler(
      async () => {
        loads += 1;
        await loading.promise;
        return scriptedModel(thinks).model;
      },
      { apiKey: "secret" },
    );
    expect(await (await handler(get("/health"))).json()).toEqual({ status: "ok" });
    const refused = [postOf(path, hi), postOf(path, hi, keyed("wrong")), get("/v1/models")];
    expect(await Promise.all(refused.map(async (request) => (await handler(request)).status))).toEqual([401, 401, 401]);
    expect((await handler(new Request("http://localhost/nowhere", keyed("secret")))).status).toBe(404);
    expect((await handler(new Request(`http://localhost${path}`, keyed("secret")))).status).toBe(405);
    expect(loads).toBe(0);
    const first = [1, 2, 3].map(() => handler(postOf(path, hi, keyed("secret"))));
    loading.resolve();
    for (const response of await Promise.all(first)) {
      expect(await response.json()).toMatchObject({
        model: "ruminate-nano",
        choices: [{ message: { content: "Yes it is." } }],
      });
    }
    expect(loads).toBe(1);
  });

  test("answers 503 when it can't be loaded, tells why once, and only to the server, then tries again", async () => {
    const told: unknown[] = [];
    const failure = new Error("https://models.example/secret-place is not there");
    const loads = [
      (): never => {
        throw failure;
      },
      () => scriptedModel(thinks).model,
    ];
    const handler = createHandler(() => loads.shift()?.() ?? Promise.reject(new Error("a third load")), {
      onerror: (error) => told.push(error),
    });
    const both = await Promise.all([handler(postOf(path, hi)), handler(get("/v1/models"))]);
    for (const response of both) {
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ error: { type: "server_error", code: "model_not_loaded" } });
      expect(text).not.toContain("secret-place");
    }
    expect(told).toEqual([failure]);
    expect((await handler(get("/health"))).status).toBe(200);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    expect((await handler(postOf(path, hi))).status).toBe(200);
  });

  test("lets a client go that does not wait for the load, which the next one has", async () => {
    let loads = 0;
    const loading = Promise.withResolvers<void>();
    const handler = createHandler(async () => {
      loads += 1;
      await loading.promise;
      return scriptedModel(thinks).model;
    });
    const client = new AbortController();
    const first = handler(postOf(path, hi, { signal: client.signal }));
    client.abort();
    loading.resolve();
    expect((await first).status).toBe(499);
    expect((await handler(postOf(path, hi))).status).toBe(200);
    expect(loads).toBe(1);
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
  });

  test("refuses what is neither a model nor loads one", () => {
    for (const wrong of [undefined, "model.gguf", Promise.resolve(scriptedModel(thinks).model)]) {
      expect(() => createHandler(wrong as never)).toThrow(TypeError);
    }
  });
});
