// The remote engine against a scripted server: what it asks for, and what it makes of every way to fail.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadModel, remote } from "../../../../src/index.ts";
import type { Model } from "../../../../src/index.ts";

type Json = Record<string, unknown>;
type Answer = (request: Json, response: ServerResponse) => void;

const template =
  "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
const usage = { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } };

let asked: { path: string; body: Json; authorization: string | undefined }[] = [];
let models: Json = {};
let props: Json | undefined;
let complete: Answer[] = [];
let origin = "";
let close: () => void;

beforeEach(async () => {
  asked = [];
  models = { data: [{ id: "some", owned_by: "vllm", max_model_len: 2048 }] };
  props = undefined;
  complete = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // It listens on TCP.
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterEach(() => close());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString();
  // The engine's own requests.
  const body = (text === "" ? {} : JSON.parse(text)) as Json;
  const path = request.url ?? "";
  asked.push({ path, body, authorization: request.headers.authorization });
  if (path === "/v1/models") json(response, 200, models);
  else if (path === "/props" && props) json(response, 200, props);
  else if (path === "/v1/completions") complete.shift()?.(body, response);
  else json(response, 404, { error: { message: "no such path" } });
}

function json(response: ServerResponse, status: number, body: Json, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

function events(...list: readonly (Json | string)[]): Answer {
  return (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of list) response.write(`data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`);
    response.end();
  };
}
const saying = (...texts: readonly string[]): Answer =>
  events(
    ...texts.map((text) => ({ choices: [{ text }] })),
    { choices: [{ text: "", finish_reason: "stop" }] },
    { choices: [], usage },
    "[DONE]",
  );
const refusing =
  (status: number, message: string, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    json(response, status, { error: { message } }, headers);

const load = (options: Partial<Parameters<typeof remote>[0]> = {}): Promise<Model> =>
  loadModel(undefined, { engine: remote({ baseURL: `${origin}/v1`, template, ...options }) });
const completions = (): Json[] => asked.filter(({ path }) => path === "/v1/completions").map(({ body }) => body);
const ask = (
  model: Model,
  options: Parameters<Model["chat"]>[1] = {},
): ReturnType<ReturnType<Model["chat"]>["result"]> => model.chat([{ role: "user", content: "Hi" }], options).result();

describe("a remote model", () => {
  test("asks for what was asked of it, and gives back what came", async () => {
    complete = [saying("<think>a</think>", "b")];
    await using model = await load({ apiKey: "secret" });
    expect(model.info).toMatchObject({ engine: "remote", memory: "remote", contextTrained: 2048, name: "some" });
    const result = await ask(model, { maxTokens: 20, temperature: 0.5, topP: 0.9, topK: 7, seed: 3, stop: ["x"] });
    expect(result).toMatchObject({ text: "b", reasoning: "a", finishReason: "stop", usage: { prompt: 9, cached: 4 } });
    expect(completions()).toEqual([
      expect.objectContaining({
        model: "some",
        prompt: "<|user|>Hi<|assistant|>",
        temperature: 0.5,
        top_p: 0.9,
        top_k: 7,
        seed: 3,
        stop: ["x"],
        stream: true,
        skip_special_tokens: false,
        add_special_tokens: false,
      }),
    ]);
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer secret"]));
  });

  test.each([
    ["vllm", { response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } } }],
    ["sglang", { json_schema: '{"type":"object"}' }],
    ["somebody", { response_format: expect.anything() }],
  ])("asks %s for a schema in its own words", async (owner, fields) => {
    models = { data: [{ id: "some", owned_by: owner }] };
    complete = [saying("{}"), saying("{}"), saying("{}")];
    await using model = await load();
    await ask(model, { format: { type: "json", schema: { type: "object" } } });
    expect(completions().at(-1)).toMatchObject(fields);
  });

  test("knows llama-server by its properties, and takes the template from there", async () => {
    props = { default_generation_settings: { n_ctx: 512 }, chat_template: template };
    complete = [saying("b")];
    await using model = await loadModel(undefined, { engine: remote({ baseURL: `${origin}/v1/` }) });
    await ask(model, { minP: 0.1 });
    expect(model.info.contextTrained).toBe(512);
    expect(completions()[0]).toMatchObject({ cache_prompt: true, min_p: 0.1, prompt: "<|user|>Hi<|assistant|>" });
  });

  test("tries again when the server is busy, and only before it has answered", async () => {
    complete = [
      refusing(429, "later", { "retry-after": "0" }),
      refusing(503, "later", { "retry-after": "0" }),
      (_, response) => response.socket?.destroy(),
      saying("b"),
    ];
    await using model = await load();
    expect((await ask(model)).text).toBe("b");
    expect(completions()).toHaveLength(4);
  });

  test("gives up on a server that stays busy, and on one that wants to be waited for too long", async () => {
    complete = Array.from({ length: 4 }, () => refusing(503, "loading", { "retry-after": "0" }));
    await using model = await load();
    await expect(ask(model)).rejects.toMatchObject({ code: "network", message: expect.stringContaining("loading") });
    complete = [refusing(429, "tomorrow", { "retry-after": "86400" })];
    await expect(ask(model)).rejects.toMatchObject({ code: "network", message: expect.stringContaining("tomorrow") });
  });

  test.each([
    [
      "breaks off",
      (_: Json, response: ServerResponse) => {
        response.writeHead(200).write('data: {"choices":[{"text":"a"}]}\n\n');
        setTimeout(() => response.socket?.destroy(), 20);
      },
      "network",
    ],
    ["ends too early", events({ choices: [{ text: "a" }] }), "network"],
    ["is no JSON", events("nonsense"), "network"],
    ["tells of a failure", events({ choices: [{ text: "a" }] }, { error: { message: "out of memory" } }), "crashed"],
    ["refuses the length", refusing(400, "This model's maximum context length is 9 tokens"), "context-full"],
    ["refuses something else", refusing(400, "temperature is too funny"), "unsupported"],
    ["knows no such key", refusing(401, "wrong key"), "network"],
  ] satisfies [string, Answer, string][])(
    "an answer that %s is an error, and not asked for again",
    async (_, first, code) => {
      complete = [first, saying("never asked for")];
      await using model = await load();
      await expect(ask(model)).rejects.toMatchObject({ code });
      expect(completions()).toHaveLength(1);
    },
  );

  test("stops at the server when the caller leaves", async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    complete = [
      (_, response) => {
        response.on("close", resolve);
        response.writeHead(200).write('data: {"choices":[{"text":"a"}]}\n\n');
      },
      saying("b"),
    ];
    await using model = await load();
    for await (const part of model.chat([{ role: "user", content: "Hi" }])) if (part.type === "text") break;
    await gone;
    expect((await ask(model)).text).toBe("b");
  });

  test("says which key is missing, and which model", async () => {
    models = { error: { message: "no key" } };
    await expect(loadModel(undefined, { engine: remote({ baseURL: `${origin}/v1` }) })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("model"),
    });
    expect(() => remote({ baseURL: "file:///etc" })).toThrow(TypeError);
  });
});
