import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/index.ts";
import { createHandler } from "../../../src/openai.ts";
import { scriptedModel } from "../api/scripted-model.ts";
import { hi, postOf, serving, thinks } from "./serving.ts";

const chat = "/v1/chat/completions";

describe("createHandler()", () => {
  test("tells of its model, by its own name or those it was given", async () => {
    const { get } = serving();
    const own = {
      id: "ruminate-nano",
      object: "model",
      owned_by: "ruminate",
      created: expect.any(Number),
      max_model_len: 512,
    };
    expect(await get("/v1/models")).toMatchObject({ status: 200, body: { object: "list", data: [own] } });
    expect(await get("/v1/models/ruminate-nano")).toMatchObject({ status: 200, body: own });
    const named = serving(thinks, { options: { modelId: ["org/glm z1", "glm"] } });
    expect((await named.get("/v1/models")).body).toMatchObject({ data: [{ id: "org/glm z1" }, { id: "glm" }] });
    expect((await named.get("/v1/models/org/glm%20z1")).body).toMatchObject({ id: "org/glm z1" });
    expect((await named.post(chat, { ...hi, model: "glm" })).body).toMatchObject({ model: "org/glm z1" });
  });

  test("answers 404 for a model, and for a path, that it has not", async () => {
    const { get, post } = serving();
    const noModel = {
      status: 404,
      body: { error: { code: "model_not_found", param: "model", message: expect.stringContaining("ruminate-nano") } },
    };
    expect(await get("/v1/models/gpt-9")).toMatchObject(noModel);
    expect(await get("/v1/models/%E0%A4%A")).toMatchObject({ status: 404 });
    for (const path of [chat, "/v1/completions", "/v1/embeddings"]) {
      expect(await post(path, { ...hi, prompt: "a", input: "a", model: "gpt-9" })).toMatchObject(noModel);
    }
    expect(await get("/v2/models")).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
  });

  test("answers 405 for a method that a path does not take, and says which it takes", async () => {
    const { get, post } = serving();
    const wrong = await get(chat);
    expect(wrong).toMatchObject({ status: 405, body: { error: { type: "invalid_request_error" } } });
    expect(wrong.headers.get("allow")).toBe("POST");
    expect((await post("/v1/models", {})).headers.get("allow")).toBe("GET, HEAD");
    expect((await get(chat, { method: "OPTIONS" })).status).toBe(405);
  });

  test("answers HEAD as GET, without the body", async () => {
    const response = await serving().handler(new Request("http://localhost/v1/models", { method: "HEAD" }));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await response.text()).toBe("");
  });

  test("takes nothing but a JSON object", async () => {
    const { handler } = serving();
    const send = async (body: string, type?: string): Promise<unknown> => {
      const headers = type === undefined ? {} : { "content-type": type };
      const response = await handler(new Request(`http://localhost${chat}`, { method: "POST", body, headers }));
      return [response.status, ((await response.json()) as { error: { code: unknown } }).error.code];
    };
    const json = "application/json";
    expect(await send(JSON.stringify(hi), "text/plain")).toEqual([415, null]);
    expect(await send(JSON.stringify(hi))).toEqual([415, null]);
    expect(await send("{", json)).toEqual([400, "invalid_json"]);
    expect(await send("", json)).toEqual([400, "invalid_json"]);
    expect(await send("[]", `${json}; charset=utf-8`)).toEqual([400, "invalid_json"]);
    expect(await send("[".repeat(100_000), json)).toEqual([400, "invalid_json"]);
    expect(await send(`{"messages":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, json)).toEqual([400, "invalid_value"]);
  });

  test("takes no body above its limit, said or not, and reads no further", async () => {
    const { post, handler } = serving(thinks, { options: { maxBodyBytes: 100 } });
    const long = { messages: [{ role: "user", content: "x".repeat(100) }] };
    expect(await post(chat, hi)).toMatchObject({ status: 200 });
    expect(await post(chat, long)).toMatchObject({ status: 413, body: { error: { code: "body_too_large" } } });
    let given = 0;
    const endless = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new Uint8Array(20).fill(32 + (given++ % 2))) },
      { highWaterMark: 0 },
    );
    const init = { method: "POST", body: endless, duplex: "half", headers: { "content-type": "application/json" } };
    expect((await handler(new Request(`http://localhost${chat}`, init))).status).toBe(413);
    expect(given).toBeLessThan(20);
  });

  test("reads a request that has no stream of its body, as Firefox's have none", async () => {
    const { handler } = serving(thinks, { options: { maxBodyBytes: 100 } });
    const status = async (content: string): Promise<number> => {
      const body = JSON.stringify({ messages: [{ role: "user", content }] });
      const headers = { "content-type": "application/json" };
      const request = new Request(`http://localhost${chat}`, { method: "POST", body, headers });
      Object.defineProperty(request, "body", { value: undefined });
      return (await handler(request)).status;
    };
    expect(await status("Hi")).toBe(200);
    expect(await status("x".repeat(100))).toBe(413);
  });
});

describe("API keys", () => {
  const locked = serving(thinks, { options: { apiKey: ["first", "sécond"] } });
  const bearer = (value: string): RequestInit => ({ headers: { authorization: value } });

  test.each([
    ["none", undefined],
    ["a wrong one", "Bearer first2"],
    ["the beginning of one", "Bearer firs"],
    ["an empty one", "Bearer "],
    ["another scheme", "Basic first"],
  ])("refuse %s", async (_what, authorization) => {
    const answer = await locked.post(chat, hi, authorization === undefined ? {} : bearer(authorization));
    expect(answer).toMatchObject({
      status: 401,
      body: { error: { type: "authentication_error", code: "invalid_api_key", param: null } },
    });
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(locked.engine.calls).toEqual([]);
  });

  test("let each of several keys in, and /health without any", async () => {
    expect((await locked.get("/v1/models", bearer("Bearer first"))).status).toBe(200);
    expect((await locked.get("/v1/models", bearer("bearer  first"))).status).toBe(200);
    expect((await locked.get("/health")).status).toBe(200);
    // An unknown path tells a stranger nothing either.
    expect((await locked.get("/nowhere")).status).toBe(401);
  });
});

describe("pages of other origins", () => {
  const ask = {
    method: "OPTIONS",
    headers: {
      origin: "https://chat.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,x-stainless-os",
    },
  };

  test("may not call by default", async () => {
    const { get } = serving();
    expect((await get(chat, ask)).status).toBe(405);
    expect((await get("/v1/models")).headers.has("access-control-allow-origin")).toBe(false);
  });

  test("are let in where told, asking first, without a key", async () => {
    const { get, post } = serving(thinks, { options: { cors: "*", apiKey: "secret" } });
    const { status, headers } = await get(chat, ask);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-methods")).toContain("POST");
    expect(headers.get("access-control-allow-headers")).toBe("authorization,x-stainless-os");
    // A page may read why it was refused.
    expect((await post(chat, hi)).headers.get("access-control-allow-origin")).toBe("*");
  });

  test("are told the one origin that is let in", async () => {
    const { post } = serving(thinks, { options: { cors: "https://chat.example" } });
    const { headers } = await post(chat, { ...hi, stream: true });
    expect(headers.get("access-control-allow-origin")).toBe("https://chat.example");
    expect(headers.get("vary")).toBe("origin");
  });
});

describe("a model that is gone", () => {
  test("answers 503 from then on, in /health too, and its owner is told", async () => {
    const told: unknown[] = [];
    const { post, get, engine } = serving(thinks, { options: { onerror: (error) => told.push(error) } });
    expect(await get("/health")).toMatchObject({ status: 200, body: { status: "ok" } });
    engine.crash();
    const gone = { status: 503, body: { error: { type: "server_error", code: "model_crashed" } } };
    expect(await post(chat, hi)).toMatchObject(gone);
    expect(await get("/health")).toMatchObject(gone);
    expect(told.map((error) => InferenceError.is(error, "crashed"))).toEqual([true]);
  });

  test("answers 503 when it was closed", async () => {
    const { post, model } = serving();
    await model.close();
    expect(await post(chat, hi)).toMatchObject({ status: 503, body: { error: { code: "model_closed" } } });
  });

  test("ends a stream with the error", async () => {
    const { handler, engine } = serving();
    engine.crashAfter(2);
    const text = await (await handler(postOf(chat, { ...hi, stream: true }))).text();
    expect(text).toMatch(/data: \{"error":\{"message":[^\n]+"code":"model_crashed"\}\}\n\n$/);
    expect(text).not.toContain("[DONE]");
  });

  test("tells clients nothing of an error that nobody foresaw", async () => {
    const told: unknown[] = [];
    const { model } = scriptedModel(thinks);
    const broken = new Error("/secret/path");
    model.chat = () => {
      throw broken;
    };
    const handler = createHandler(model, { onerror: (error) => told.push(error) });
    const response = await handler(postOf(chat, hi));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(told).toEqual([broken]);
  });
});

describe("HandlerOptions", () => {
  test.each([
    [{ apiKey: "" }, TypeError],
    [{ apiKey: [] }, TypeError],
    [{ apiKey: ["a", ""] }, TypeError],
    [{ modelId: "" }, TypeError],
    [{ cors: "chat.example" }, TypeError],
    [{ cors: "https://chat.example/" }, TypeError],
    [{ maxQueue: -1 }, RangeError],
    [{ maxQueue: 1.5 }, RangeError],
    [{ maxBodyBytes: 0 }, RangeError],
    [null as unknown as object, TypeError],
  ])("%j is refused", (options, kind) => {
    const { model } = scriptedModel(thinks);
    expect(() => createHandler(model, options)).toThrow(kind);
  });
});
