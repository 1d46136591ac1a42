import { describe, expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { InferenceError } from "../../../src/errors.ts";
import type { HostScript } from "./scripted-host.ts";
import { createScriptedHost } from "./scripted-host.ts";
import type { Script } from "./scripted-sdk.ts";
import { createScriptedSdk } from "./scripted-sdk.ts";

const play = async (words: readonly string[], host: Omit<HostScript, "arguments"> = {}, script: Script = {}) => {
  const { sdk, calls } = createScriptedSdk(script);
  const scripted = createScriptedHost({ arguments: ["run", ...words], ...host });
  const code = await runProgram(sdk, scripted);
  expect(scripted.listening()).toBe(0);
  return { code, out: scripted.out(), err: scripted.err(), calls, exits: scripted.exits };
};
const stats = "12 prompt tokens (4 cached), 9 thought, 5 answer | 140.0 tokens/s | first token after 0.12 s";

describe("ruminate run", () => {
  test("asks the bundled model, and closes it", async () => {
    const { code, out, err, calls } = await play(["What is", "47 + 85?"]);
    expect({ code, out }).toEqual({ code: 0, out: "47 + 85 = 132\n" });
    expect(err).toBe(`7 + 5 = 12, carry 1\n${stats}\n`);
    expect(calls.loads[0]?.source).toBeUndefined();
    expect(calls.chats[0]?.messages).toEqual([{ role: "user", content: "What is 47 + 85?" }]);
    expect(calls.closed).toBe(1);
  });

  test("asks for nothing that was not asked for", async () => {
    const { calls } = await play(["Hi"]);
    expect(Object.keys(calls.loads[0]?.options ?? {})).toEqual(["signal"]);
    expect(Object.keys(calls.chats[0]?.options ?? {})).toEqual(["signal"]);
  });

  test("passes every option on", async () => {
    const { calls } = await play([
      ..."--model hf:a/b:Q8_0 --threads 2 --context 4096 --extend off --system Short. --max-tokens 64".split(" "),
      ..."--temperature 0.5 --top-p 0.9 --top-k 20 --min-p 0.1 --seed 7 --repeat-penalty 1.1".split(" "),
      ..."--think force --budget 100 --minimum 10 --stop END --stop".split(" "),
      "\n\n",
      "Hi",
    ]);
    expect(calls.loads[0]).toMatchObject({
      source: { hf: "a/b", quant: "Q8_0" },
      options: { threads: 2, context: { size: 4096, extend: "off" } },
    });
    expect(calls.chats[0]?.messages).toEqual([
      { role: "system", content: "Short." },
      { role: "user", content: "Hi" },
    ]);
    const { signal: _signal, ...options } = calls.chats[0]?.options ?? {};
    expect(options).toEqual({
      maxTokens: 64,
      temperature: 0.5,
      topP: 0.9,
      topK: 20,
      minP: 0.1,
      seed: 7,
      repeatPenalty: 1.1,
      stop: ["END", "\n\n"],
      reasoning: { mode: "force", budget: 100, minimum: 10 },
    });
  });

  test("takes zero for what it is", async () => {
    const { calls } = await play("--temperature 0 --seed 0 --top-k 0 --budget 0 --max-tokens 0 Hi".split(" "));
    expect(calls.chats[0]?.options).toMatchObject({
      temperature: 0,
      seed: 0,
      topK: 0,
      maxTokens: 0,
      reasoning: { budget: 0 },
    });
  });

  test("takes an unlimited budget", async () => {
    const { calls } = await play(["--budget", "unlimited", "Hi"]);
    expect(calls.chats[0]?.options.reasoning).toEqual({ budget: Infinity });
  });

  test.each([
    [["--", "-5 + 3 = ?"], "-5 + 3 = ?"],
    [["--", "--help"], "--help"],
    [["-5"], "-5"],
    [["tell", "--seed", "1", "me"], "tell me"],
  ])("reads the prompt from %j", async (words, prompt) => {
    const { code, calls } = await play(words);
    expect(code).toBe(0);
    expect(calls.chats[0]?.messages).toEqual([{ role: "user", content: prompt }]);
  });

  test.each([
    [[], "\n What is 47 + 85?\n\n", "What is 47 + 85?"],
    [["Review this:"], "a\n\nb\n", "Review this:\n\na\n\nb"],
    [["Hi"], "", "Hi"],
    [["Hi"], "\n", "Hi"],
  ])("joins %j and the pipe", async (words, piped, prompt) => {
    const { calls } = await play(words, { piped });
    expect(calls.chats[0]?.messages).toEqual([{ role: "user", content: prompt }]);
  });

  test.each([[undefined], [""], [" \n"]])("refuses to ask nothing (pipe: %j)", async (piped) => {
    const { code, err, calls } = await play([], piped === undefined ? {} : { piped });
    expect(code).toBe(2);
    expect(err).toMatch(/^error: there is no prompt; try: ruminate run/);
    expect(calls.loads).toEqual([]);
  });

  test("--raw completes the exact text, and gives the exact completion", async () => {
    const { out, calls } = await play(
      ["--raw"],
      { piped: "47 + 85 =\n" },
      { turns: [[{ type: "text", text: " 132\n\n" }]] },
    );
    expect(calls.generates[0]?.prompt).toBe("47 + 85 =\n");
    expect(calls.chats).toEqual([]);
    expect(out).toBe(" 132\n\n");
  });

  test("--json gives parseable lines that end in the result, and nothing else", async () => {
    const { out, err } = await play(["--json", "Hi"], { stderrIsTTY: true });
    const parts = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(parts.map(({ type }) => type)).toEqual(["prefill", "reasoning", "reasoning", "text", "text", "finish"]);
    expect(parts.at(-1)).toMatchObject({ result: { text: "47 + 85 = 132", usage: { cached: 4 } } });
    expect(err).toBe("");
  });

  test("--quiet --hide-thoughts leaves the answer alone", async () => {
    expect(await play(["-q", "--hide-thoughts", "Hi"])).toMatchObject({ out: "47 + 85 = 132\n", err: "" });
  });

  test("shows progress on a terminal only", async () => {
    const progress = [{ phase: "load", loaded: 1, total: 2 }] as const;
    const isAsked = async (host: Omit<HostScript, "arguments">, ...flags: string[]) => {
      const { calls } = await play([...flags, "Hi"], host, { progress });
      return calls.loads[0]?.options.onprogress !== undefined;
    };
    expect(await isAsked({ stderrIsTTY: true })).toBe(true);
    expect(await isAsked({ stderrIsTTY: true, environment: { TERM: "dumb" } })).toBe(false);
    expect(await isAsked({ stderrIsTTY: true }, "--quiet")).toBe(false);
    expect(await isAsked({ stderrIsTTY: true }, "--json")).toBe(false);
    expect(await isAsked({})).toBe(false);
  });

  test("dims thoughts and statistics on a terminal", async () => {
    const { out, err } = await play(["Hi"], { stdoutIsTTY: true, stderrIsTTY: true });
    expect(out).toBe("\u001b[2m7 + 5 = 12,\u001b[22m\u001b[2m carry 1\u001b[22m\n\n47 + 85 = 132\n");
    expect(err).toBe(`\u001b[2m${stats}\u001b[22m\n`);
  });

  test("reads a schema or a grammar from its file", async () => {
    const files = { "s.json": '{"type":"object"}', "g.gbnf": 'root ::= "a"' };
    const schema = await play(["--json-schema", "s.json", "Hi"], { files });
    expect(schema.calls.chats[0]?.options.format).toEqual({ type: "json", schema: { type: "object" } });
    const grammar = await play(["--grammar", "g.gbnf", "Hi"], { files });
    expect(grammar.calls.chats[0]?.options.format).toEqual({ type: "gbnf", grammar: 'root ::= "a"' });
  });

  test.each([
    ["{", "Cannot use s.json as a JSON schema: "],
    ["[]", "Cannot use s.json as a JSON schema: it must hold an object"],
    [undefined, "no such file: s.json"],
  ])("refuses the schema %j before it loads anything", async (text, message) => {
    const { code, err, calls } = await play(["--json-schema", "s.json", "Hi"], {
      files: text === undefined ? {} : { "s.json": text },
    });
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(calls.loads).toEqual([]);
  });

  test("closes the model after a failure, and ends the line that was cut", async () => {
    const { code, out, err, calls } = await play(
      ["Hi"],
      {},
      { turnError: new InferenceError("crashed", "The engine is gone") },
    );
    expect({ code, out }).toEqual({ code: 1, out: "47 + 85 = 132\n" });
    expect(err).toMatch(/\nerror: The engine is gone \(crashed\)\n$/);
    expect(calls.closed).toBe(1);
  });

  test("stops at Ctrl-C with 130, its line ended and the model closed", async () => {
    const { code, out, err, calls, exits } = await play(["Hi"], {
      onWrite: (text, host) => {
        if (text.includes("47")) host.interrupt();
      },
    });
    expect({ code, out, exits }).toEqual({ code: 130, out: "47 + 85\n", exits: [] });
    expect(err).not.toContain("error");
    expect(calls.closed).toBe(1);
  });

  test("leaves at once at a second Ctrl-C", async () => {
    const { exits } = await play(["Hi"], {
      onWrite: (text, host) => {
        if (!text.includes("47")) return;
        host.interrupt();
        host.interrupt();
      },
    });
    expect(exits).toEqual([130]);
  });

  test("ends quietly when nobody reads any more", async () => {
    const { code, out, err, calls } = await play(["--hide-thoughts", "Hi"], {
      onWrite: (text, host) => {
        if (text === "47 + 85") host.hangUp();
      },
    });
    expect({ code, out, err }).toEqual({ code: 0, out: "", err: "" });
    expect(calls.closed).toBe(1);
  });
});
