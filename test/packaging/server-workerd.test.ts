import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorkerd } from "../conformance/start-workerd.ts";
import type { RunningWorker } from "../conformance/start-workerd.ts";
import { serve, type StaticServer } from "../conformance/server.ts";
import { root } from "../../scripts/command.ts";

let worker: RunningWorker;
let files: StaticServer;
beforeAll(async () => {
  files = await serve(pathToFileURL(`${root}/`));
  worker = await startWorkerd(() => {}, "server");
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await files?.[Symbol.asyncDispose]();
});

const post = (path: string, body: object, init: RequestInit = {}): Promise<Response> =>
  fetch(`${worker.origin}${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      "content-type": "application/json",
      authorization: "Bearer a key",
      model: `${files.origin}/models/ruminate-nano-q8_0.gguf`,
    },
    ...init,
  });
const chat = "/v1/chat/completions";
const messages = [{ role: "user", content: "What is 47 + 85?" }];

describe("ruminate/openai in workerd", () => {
  test("answers, streamed and not, and asks for its key", async () => {
    expect(await (await post(chat, { messages })).json()).toMatchObject({
      choices: [{ message: { content: "132", reasoning_content: expect.stringContaining("7+5") } }],
    });
    expect(await (await post(chat, { messages, stream: true })).text()).toMatch(/data: \[DONE\]\n\n$/);
    expect((await fetch(`${worker.origin}/v1/models`)).status).toBe(401);
  });

  test("lets the next one in when a client has gone", async () => {
    const client = new AbortController();
    // The tokens that end a reply are banned.
    const endless = { prompt: "a", logit_bias: { 1012: -100, 1019: -100, 1021: -100 } };
    const response = await post("/v1/completions", { ...endless, stream: true }, { signal: client.signal });
    await response.body?.getReader().read();
    client.abort();
    // Nobody may wait, so that this one is let in when the other has left.
    for (;;) {
      const { status } = await post(chat, { messages });
      if (status === 200) break;
      expect(status).toBe(429);
    }
  });
});
