import { describe, expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import type { HostScript, ScriptedHost } from "./scripted-host.ts";
import { createScriptedHost } from "./scripted-host.ts";
import { createScriptedSdk } from "./scripted-sdk.ts";
import type { Script } from "./scripted-sdk.ts";

/** Runs the command until it says that it listens, does `work`, and presses Ctrl-C. */
async function play(
  words: readonly string[],
  work: (fetch: (path: string, init?: RequestInit) => Promise<Response>, host: ScriptedHost) => Promise<void>,
  { script = {}, ...rest }: Omit<HostScript, "arguments"> & { script?: Script } = {},
) {
  const { sdk, calls } = createScriptedSdk(script);
  const listens = Promise.withResolvers<void>();
  const host = createScriptedHost({
    arguments: ["serve", ...words],
    ...rest,
    onWrite: (text) => {
      if (text.startsWith("listening")) listens.resolve();
    },
  });
  const code = runProgram(sdk, host);
  await Promise.race([listens.promise, code]);
  const [server] = host.servers;
  try {
    await work(async (path, init) => {
      if (!server) throw new Error("nothing listens");
      return server.handler(new Request(`http://localhost${path}`, init));
    }, host);
  } finally {
    host.interrupt();
  }
  return { code: await code, out: host.out(), err: host.err(), calls, server, exits: host.exits };
}
const nothing = (): Promise<void> => Promise.resolve();

describe("ruminate serve", () => {
  test("says where it listens, answers, tells of each answer, and ends at Ctrl-C with 130", async () => {
    const played = await play([], async (fetch) => {
      expect(await (await fetch("/v1/models")).json()).toMatchObject({ data: [{ id: "scripted" }] });
      const body = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
      const response = await fetch("/v1/chat/completions", {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
      expect(await response.json()).toMatchObject({ choices: [{ message: { content: "47 + 85 = 132" } }] });
    });
    expect(played).toMatchObject({ code: 130, out: "listening on http://127.0.0.1:8080/v1\n", exits: [] });
    expect(played.err).toBe("GET /v1/models 200 0 ms\nPOST /v1/chat/completions 200 0 ms\n");
    expect(played.server).toMatchObject({ address: { hostname: "127.0.0.1", port: 8080 }, isOpen: false });
    expect(played.calls.loads[0]?.source).toBeUndefined();
    expect(played.calls.closed).toBe(1);
  });

  test("passes its options on", async () => {
    const words = "model.gguf --port 0 --host ::1 --threads 2 --context 4096 --name a --name b --queue 3 -q".split(" ");
    const played = await play([...words, "--cors", "https://chat.example"], async (fetch) => {
      const response = await fetch("/v1/models");
      expect(await response.json()).toMatchObject({ data: [{ id: "a" }, { id: "b" }] });
      expect(response.headers.get("access-control-allow-origin")).toBe("https://chat.example");
    });
    expect(played.calls.loads[0]).toMatchObject({
      source: "model.gguf",
      options: { threads: 2, context: { size: 4096 } },
    });
    expect(played).toMatchObject({ out: "listening on http://[::1]:40000/v1\n", err: "" });
    const all = await play(["--cors", "-m", "x.gguf"], async (fetch) => {
      expect((await fetch("/health")).headers.get("access-control-allow-origin")).toBe("*");
    });
    expect(all.calls.loads[0]?.source).toBe("x.gguf");
  });

  test.each([
    [["--api-key", "one", "--api-key", "two"], {}],
    [[], { RUMINATE_API_KEY: "two" }],
  ])("asks for a key with %j and %j", async (words, environment) => {
    const options: { environment: Readonly<Record<string, string>> } = { environment };
    await play(
      words,
      async (fetch) => {
        expect((await fetch("/v1/models")).status).toBe(401);
        expect((await fetch("/v1/models", { headers: { authorization: "Bearer two" } })).status).toBe(200);
      },
      options,
    );
  });

  test("without a key answers to this machine's own names only, and warns where others may come", async () => {
    const asked = async (words: readonly string[], url: string, key?: string) => {
      let status = 0;
      const { err } = await play(words, async (_fetch, host) => {
        const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
        status = (await host.servers[0]?.handler(new Request(url, { headers })))?.status ?? 0;
      });
      return [status, err.includes("warning")];
    };
    const foreign = "http://rebound.example/v1/models";
    expect(await asked([], foreign)).toEqual([403, false]);
    expect(await asked(["--host", "localhost"], "http://[::1]:8080/v1/models")).toEqual([200, false]);
    expect(await asked([], "http://127.0.0.1.rebound.example/v1/models")).toEqual([403, false]);
    expect(await asked(["--api-key", "k"], foreign, "k")).toEqual([200, false]);
    expect(await asked(["--host", "0.0.0.0"], foreign)).toEqual([200, true]);
    expect(await asked(["--host", "0.0.0.0", "--api-key", "k"], foreign, "k")).toEqual([200, false]);
  });

  test("fails where it can't listen, and closes the model", async () => {
    const { code, err, calls } = await play(["--port", "1"], nothing);
    expect({ code, err }).toEqual({ code: 1, err: "error: Cannot listen on it: the port is in use\n" });
    expect(calls.closed).toBe(1);
  });

  test("tells of what fails in it", async () => {
    const { err } = await play(
      ["-q"],
      async (fetch) => {
        const init = { method: "POST", body: '{"prompt":"a"}', headers: { "content-type": "application/json" } };
        expect((await fetch("/v1/completions", init)).status).toBe(500);
      },
      { script: { turnError: new Error("disk\u001b[2J on fire") } },
    );
    expect(err).toBe("error: disk\u{fffd}[2J on fire\n");
  });
});
