// The servers of examples/, each as its reader would run it: beside the installed package, in its own runtime.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../../scripts/command.ts";
import { serve } from "../file-server.ts";
import { startServer } from "./running-server.ts";
import type { RunningServer } from "./running-server.ts";
import { pack } from "./tarball.ts";

type Command = readonly [string, ...string[]];

/** Makes Deno one of the hosts that have no workers. */
const noWorkers = `Reflect.deleteProperty(globalThis, "Worker");
console.log("workers:", typeof Worker);
`;
const home = mkdtempSync(join(tmpdir(), "ruminate-edge-"));
const names = ["workerd", "deno-deploy", "bun-server"];

beforeAll(async () => {
  const tarball = await pack(home);
  for (const name of names) {
    const folder = join(home, name);
    cpSync(join(root, "examples", name), folder, { recursive: true });
    const installed = join(folder, "node_modules/ruminate");
    mkdirSync(installed, { recursive: true });
    await ok(["tar", "-xzf", tarball.path, "-C", installed, "--strip-components=1"], folder);
  }
  await ok(["npm", "run", "--silent", "build"], join(home, "workerd"));
  // What wrangler takes from its secrets.
  const settings = join(home, "workerd/wrangler.jsonc");
  writeFileSync(settings, readFileSync(settings, "utf8").replace('"vars": {', '"vars": { "API_KEY": "a key",'));
  writeFileSync(join(home, "deno-deploy/no-workers.ts"), noWorkers);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function ok(command: Command, cwd: string): Promise<void> {
  const { code, output } = await run(command, { cwd });
  if (code !== 0) throw new Error(`${command.join(" ")} failed: ${output}`);
}

/** The command of a task in deno.json, with flags before its script. */
function denoTask(...flags: readonly string[]): Command {
  const { tasks } = JSON.parse(readFileSync(join(root, "examples/deno-deploy/deno.json"), "utf8")) as {
    tasks: { start: string };
  };
  const [program = "", command = "", ...args] = tasks.start.split(" ");
  // Nothing is fetched here: the package is in node_modules already.
  return [program, command, "--node-modules-dir=manual", "--no-prompt", ...flags, ...args];
}

const workerd = (config: string, ...flags: readonly string[]): Command => [
  "workerd",
  "serve",
  ...flags,
  "--control-fd=3",
  "--socket-addr=http=127.0.0.1:0",
  config,
];
/** Those that hear of a signal. */
const graceful = ["Deno", "Deno without workers", "Bun"];
const servers: readonly (readonly [name: string, folder: string, command: Command])[] = [
  ["workerd", "workerd", workerd("config.capnp")],
  ["workerd, by wrangler's configuration", "workerd", workerd("wrangler.jsonc", "--experimental")],
  ["Deno", "deno-deploy", denoTask()],
  ["Deno without workers", "deno-deploy", denoTask("--preload=no-workers.ts")],
  ["Bun", "bun-server", ["bun", "server.ts"]],
];

const start = (folder: string, command: Command): Promise<RunningServer> =>
  startServer(command, { cwd: join(home, folder), env: { API_KEY: "a key", PORT: "0" } });

const ask = (origin: string, body: object = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    ...(signal ? { signal } : {}),
    headers: { "content-type": "application/json", authorization: "Bearer a key" },
    body: JSON.stringify({ messages: [{ role: "user", content: "What is 47 + 85?" }], ...body }),
  });

/** What the deltas of a stream say, put together. */
function contentOf(stream: string): string {
  return stream
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice("data: ".length)) as { choices: [{ delta: { content?: string } }] })
    .map(({ choices: [choice] }) => choice.delta.content ?? "")
    .join("");
}

describe.each(servers)("the example in %s", (name, folder, command) => {
  test("loads one model for its first two requests, answers both, and is ended by Ctrl-C", async () => {
    await using server = await start(folder, command);
    expect(await (await fetch(`${server.origin}/health`)).json()).toEqual({ status: "ok" });
    expect((await fetch(`${server.origin}/v1/models`)).status).toBe(401);
    expect(server.output()).not.toContain("loaded");
    const [whole, stream] = await Promise.all([ask(server.origin), ask(server.origin, { stream: true })]);
    expect(await whole.json()).toMatchObject({
      choices: [{ message: { content: "132", reasoning_content: expect.stringContaining("7+5") } }],
    });
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    const text = await stream.text();
    expect(contentOf(text)).toBe("132");
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    const models = await fetch(`${server.origin}/v1/models`, { headers: { authorization: "Bearer a key" } });
    const { data } = (await models.json()) as { data: { created: number }[] };
    expect(data[0]?.created).toBeGreaterThan(1_700_000_000);
    expect(server.output().match(/loaded ruminate-nano/g)).toEqual(["loaded ruminate-nano"]);
    if (name === "Deno without workers") expect(server.output()).toContain("workers: undefined");
    server.kill("SIGINT");
    // workerd takes no notice of what is under way, and ends by the signal itself.
    expect(await server.ended).toEqual(
      graceful.includes(name) ? { code: 0, signal: null } : { code: null, signal: "SIGINT" },
    );
    expect(server.output()).not.toMatch(/error/i);
  });
});

test.each(servers.filter(([name]) => graceful.includes(name)))(
  "the example in %s ends the answer that is under way before it ends itself",
  async (_, folder, command) => {
    await using server = await start(folder, command);
    const response = await ask(server.origin, { stream: true });
    server.kill("SIGINT");
    const text = await response.text();
    expect(contentOf(text)).toBe("132");
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    expect(await server.ended).toEqual({ code: 0, signal: null });
  },
);

test("the example in workerd goes on loading when its first client has gone", async () => {
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  await using models = await serve(async (_, response) => {
    const bytes = readFileSync(join(root, "models/ruminate-nano-q8_0.gguf"));
    response.writeHead(200, { "content-length": bytes.byteLength });
    response.write(bytes.subarray(0, 1000));
    asked.resolve();
    await gone.promise;
    response.end(bytes.subarray(1000));
  });
  const config = readFileSync(join(root, "examples/workerd/config.capnp"), "utf8");
  const { host } = new URL(models.base);
  const elsewhere = config.replace('disk = (path = "node_modules/ruminate/models")', `external = "${host}"`);
  expect(elsewhere).not.toBe(config);
  writeFileSync(join(home, "workerd/elsewhere.capnp"), elsewhere);
  await using server = await start("workerd", workerd("elsewhere.capnp"));
  const client = new AbortController();
  const first = ask(server.origin, {}, client.signal).catch((error: unknown) => error);
  await asked.promise;
  const second = ask(server.origin);
  client.abort();
  expect(await first).toMatchObject({ name: "AbortError" });
  gone.resolve();
  expect(await (await second).json()).toMatchObject({ choices: [{ message: { content: "132" } }] });
  expect(models.requests.length).toBe(1);
});
