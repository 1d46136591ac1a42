import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Script } from "./scripted-sdk.ts";
import { answer, thought } from "./scripted-sdk.ts";
import type { RuntimeName, Started } from "./start-process.ts";
import { runtimeNames, startProgram } from "./start-process.ts";

let program: Started | undefined;
afterEach(async () => {
  program?.signal("SIGINT");
  await program?.code;
  program = undefined;
});

/** Starts the command; returns the address that it says. */
async function serve(runtime: RuntimeName, words: readonly string[], script?: Script): Promise<string> {
  program = startProgram(runtime, ["serve", "--port", "0", ...words], script ? { script } : {});
  await program.said("/v1\n");
  return /http:\S+(?=\/v1)/.exec(program.out())?.[0] ?? "";
}

const post = (url: string, fields: object, signal?: AbortSignal): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "What is 47 + 85?" }], ...fields }),
    ...(signal ? { signal } : {}),
  });
const held: Script = { turns: [[thought("I wonder"), answer("So far")]], hold: "until-abort" };

describe.each(runtimeNames)("ruminate serve in %s", (runtime) => {
  test("answers with the bundled model, streamed and not, and ends at Ctrl-C", async () => {
    const base = await serve(runtime, []);
    const whole = await post(`${base}/v1/chat/completions`, {});
    expect(await whole.json()).toMatchObject({
      model: "ruminate-nano",
      choices: [{ message: { content: "132", reasoning_content: expect.stringContaining("7+5") } }],
    });
    const stream = await post(`${base}/v1/chat/completions`, { stream: true });
    const text = await stream.text();
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    expect([...text.matchAll(/"content":"(\d)"/g)].map(([, digit]) => digit).join("")).toBe("132");
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    program?.signal("SIGINT");
    expect(await program?.code).toBe(130);
    expect(program?.err()).toMatch(/^POST \/v1\/chat\/completions 200 \d+ ms\nPOST [^]+ 200 \d+ ms\n$/);
  });

  test("stops for clients that go, streamed and not, and lets the next one in", async () => {
    const base = await serve(runtime, ["--queue", "0"], held);
    for (const stream of [true, false]) {
      const client = new AbortController();
      const first = post(`${base}/v1/chat/completions`, { stream }, client.signal);
      if (stream) await (await first).body?.getReader().read();
      // Until the first has come, and is in the way of others.
      while (await isFree(base)) continue;
      client.abort();
      await first.catch(() => undefined);
      // Until it has gone. Had it not been stopped, this would never end.
      while (!(await isFree(base))) continue;
    }
    expect(program?.err()).not.toContain("error: The client");
  });

  test("ends at Ctrl-C while it answers", async () => {
    const base = await serve(runtime, [], held);
    const response = await post(`${base}/v1/chat/completions`, { stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    program?.signal("SIGINT");
    expect(await program?.code).toBe(130);
  });

  test("sends more than a socket holds to a reader that takes its time", async () => {
    const long: Script = { turns: [[answer("x".repeat(1000))]], times: 5000 };
    const base = await serve(runtime, [], long);
    const response = await post(`${base}/v1/chat/completions`, { stream: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const text = await response.text();
    expect(text.match(/x{1000}/g)?.length).toBe(5000);
  });

  test("answers in order on one connection, whether bodies were read or not, and hangs up on no request", async () => {
    const base = new URL(await serve(runtime, [], { turns: [[answer("Yes")]] }));
    const socket = connect(Number(base.port), base.hostname);
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
    const send = async (request: string, answers: number): Promise<void> => {
      socket.write(request);
      while ((heard.match(/HTTP\/1\.1 /g) ?? []).length < answers) {
        await new Promise((resolve) => socket.once("data", resolve));
      }
    };
    const unread = "x".repeat(100_000);
    await send(`POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n${unread}`, 1);
    await send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n", 2);
    expect([...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(["404", "200"]);
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    socket.write('content-length: 1000\r\n\r\n{"messages":');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await program?.said("POST /v1/chat/completions 499 ");
    expect(program?.err()).not.toContain("error:");
    const strange = await fetch(base, { headers: { host: "localhost" } });
    expect(strange.status).toBe(404);
  });
});

test("ruminate serve tells when its port is taken", async () => {
  const base = await serve("node", [], held);
  const second = startProgram("node", ["serve", "--port", new URL(base).port], { script: held });
  expect(await second.code).toBe(1);
  expect(second.err()).toMatch(/^error: Cannot listen on 127\.0\.0\.1:\d+: the port is in use/);
});

/** Whether a request would be let in. This one is over at once: the scripted model makes no embeddings. */
async function isFree(base: string): Promise<boolean> {
  const { status } = await fetch(`${base}/v1/embeddings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"input":"a"}',
  });
  return status !== 429;
}
