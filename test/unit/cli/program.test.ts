import { describe, expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { InferenceError } from "../../../src/errors.ts";
import type { HostScript } from "./scripted-host.ts";
import { createScriptedHost } from "./scripted-host.ts";
import { createScriptedSdk } from "./scripted-sdk.ts";

const play = async (words: readonly string[], script: Omit<HostScript, "arguments"> = {}) => {
  const { sdk, calls } = createScriptedSdk();
  const host = createScriptedHost({ arguments: words, ...script });
  const code = await runProgram(sdk, host);
  return { code, out: host.out(), err: host.err(), calls };
};

describe("runProgram()", () => {
  test.each([["--version"], ["-V"]])("prints the version for %s", async (flag) => {
    expect(await play([flag])).toMatchObject({ code: 0, out: "1.2.3\n", err: "" });
  });

  test.each([
    [["--help"]],
    [["help", "run"]],
    [["run", "--help"]],
    [["chat", "-h"]],
    [["serve", "--help"]],
    [["inspect", "--help"]],
    [["pull", "--help"]],
    [["ls", "--help"]],
    [["rm", "--help"]],
    [["doctor", "--help"]],
  ])("prints help with examples for %j", async (words) => {
    const { code, out, err } = await play(words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/Usage: ruminate /);
    expect(out).toMatch(/Examples:\n {2}\S/);
  });

  test("prints help on stderr when there is nothing to do", async () => {
    const { code, out, err } = await play([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Commands:");
  });

  test("refuses an unknown option, and names the one that was meant", async () => {
    const { code, err, calls } = await play(["run", "--temprature", "0", "Hi"]);
    expect(code).toBe(2);
    expect(err).toContain("--temperature");
    expect(err).toContain("ruminate run --help");
    expect(calls.loads).toEqual([]);
  });

  test("tells how to ask with a prompt that begins with a dash", async () => {
    const { code, err } = await play(["run", "-x + 3 = 5, what is x?"]);
    expect(code).toBe(2);
    expect(err).toContain("after --");
  });

  test("suggests run for a bare prompt", async () => {
    const { code, err } = await play(["What is 47 + 85?"]);
    expect(code).toBe(2);
    expect(err).toContain('ruminate run "What is 47 + 85?"');
    expect((await play(["it's $HOME"])).err).toContain(String.raw`ruminate run 'it'\''s $HOME'`);
  });

  test.each([
    [["run", "--temperature", "hot", "Hi"], "It takes a number from 0 to 100."],
    [["run", "--top-p", "1.5", "Hi"], "from 0 to 1"],
    [["run", "--think", "hard", "Hi"], "auto, force, off"],
    [["run", "--model", "hf:nobody", "Hi"], "hf:owner/repo"],
    [["run", "--raw", "--system", "x", "Hi"], "cannot be used with"],
    [["run", "--grammar", "a", "--json-schema", "b", "Hi"], "cannot be used with"],
    [["chat", "What is 47 + 85?"], "too many arguments"],
    [["doctor", "--model", "x"], "unknown option"],
    [["serve", "--port", "65536"], "from 0 to 65535"],
    [["serve", "--cors", "chat.example"], "https://chat.example"],
    [["serve", "--api-key", ""], "at least one character"],
    [["serve", "--model", "a", "b"], "given twice"],
  ])("refuses %j", async (words, hint) => {
    const { code, err, calls } = await play(words);
    expect(code).toBe(2);
    expect(err).toContain(hint);
    expect(calls.loads).toEqual([]);
  });

  const failing = async (environment: Record<string, string>) => {
    const cause = new Error("connect ECONNREFUSED");
    const { sdk } = createScriptedSdk({
      loadError: new InferenceError("network", "Cannot fetch\u001b[2J a.gguf", { cause }),
    });
    const host = createScriptedHost({ arguments: ["run", "Hi"], environment });
    const code = await runProgram(sdk, host);
    return { code, out: host.out(), err: host.err() };
  };

  test("tells a failure in one line, with its code", async () => {
    expect(await failing({})).toEqual({ code: 1, out: "", err: "error: Cannot fetch\u{fffd}[2J a.gguf (network)\n" });
  });

  test("tells stacks and causes where RUMINATE_DEBUG is 1", async () => {
    const { err } = await failing({ RUMINATE_DEBUG: "1" });
    expect(err).toMatch(/^ {4}at /m);
    expect(err).toContain("caused by Error: connect ECONNREFUSED");
  });
});
