import { describe, expect, test } from "vitest";
import metadata from "../../../package.json" with { type: "json" };
import type { Script } from "./scripted-sdk.ts";
import { answer, thought, usualTurn } from "./scripted-sdk.ts";
import { runtimeNames, startProgram } from "./start-process.ts";

const script: Script = { turns: [usualTurn] };
const held: Script = { turns: [[thought("I wonder"), answer("So far")]], hold: "until-abort" };

describe.each(runtimeNames)("the command line in %s", (runtime) => {
  test("keeps answer and thoughts on their own streams, reads the pipe to its end, leaves with 0", async () => {
    const program = startProgram(runtime, ["run", "What is"], { script });
    program.type("47 + ");
    program.type("85? é\n");
    program.endInput();
    expect(await program.code).toBe(0);
    expect(program.out()).toBe("47 + 85 = 132\n");
    expect(program.err()).toMatch(/^7 \+ 5 = 12, carry 1\n12 prompt tokens/);
  });

  test("leaves with 2 for wrong arguments, their hint on stderr", async () => {
    const program = startProgram(runtime, ["run", "--no-such"], { script });
    expect(await program.code).toBe(2);
    expect(program.out()).toBe("");
    expect(program.err()).toContain("unknown option '--no-such'");
  });

  test("stops at SIGINT with 130, what was said so far ended by a newline", async () => {
    const program = startProgram(runtime, ["run", "Hi"], { script: held });
    program.endInput();
    await program.said("So far");
    program.signal("SIGINT");
    expect(await program.code).toBe(130);
    expect(program.out()).toBe("So far\n");
    expect(program.err()).toBe("I wonder\n");
  });

  test("stops at SIGINT while it still waits for its input", async () => {
    const program = startProgram(runtime, ["chat", "--hide-thoughts", "-q"], { script });
    program.type("Hi\n");
    await program.said("47 + 85 = 132");
    program.signal("SIGINT");
    expect(await program.code).toBe(130);
  });

  test("leaves at a second SIGINT when the first is not obeyed", async () => {
    const program = startProgram(runtime, ["run", "Hi"], { script: { ...held, hold: "for-ever" } });
    program.endInput();
    await program.said("So far");
    let isOver = false;
    const code = program.code.finally(() => (isOver = true));
    // Two signals at once may arrive as one: they are sent until the process has gone.
    while (!isOver) {
      program.signal("SIGINT");
      await Promise.race([code, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    expect(await code).toBe(130);
  });

  test("ends quietly when its reader has gone", async () => {
    // More than a pipe holds, so that it is still writing when the reader goes.
    const long: Script = { turns: [[answer(`${"x".repeat(99)}\n`)]], times: 20_000, hold: "until-abort" };
    const program = startProgram(runtime, ["run", "-q", "Hi"], { script: long });
    program.endInput();
    await program.said("xxx");
    program.hangUp();
    expect(await program.code).toBe(0);
    expect(program.err()).toBe("");
  });

  test("chats on a terminal, where what was typed ahead waits its turn, until Ctrl-D", async () => {
    const turns = [[thought("hm"), answer("First.")], [answer("Second.")]];
    const program = startProgram(runtime, ["chat"], { script: { turns }, terminal: true });
    await program.said("> ");
    program.type("one\rtwo\rthr");
    await program.said("Second.");
    expect(program.out()).toContain("\u001b[2mhm\u001b[22m\r\n\r\nFirst.\r\n");
    program.type("ee\r");
    await program.said("three");
    // The editor's own prompt: while an answer runs the terminal is the kernel's, and Deno loses a Ctrl-D there.
    const afterThird = /three[^]*J> /;
    while (!afterThird.test(program.out())) await new Promise((resolve) => setTimeout(resolve, 20));
    program.type("\u0004");
    expect(await program.code).toBe(0);
  });

  test("a Ctrl-C on the terminal stops the answer, at the prompt it leaves with 130", async () => {
    const program = startProgram(runtime, ["chat", "-q"], { script: held, terminal: true });
    await program.said("> ");
    program.type("one\r");
    await program.said("So far");
    const prompts = (): number => program.out().split("> ").length - 1;
    const before = prompts();
    program.type("\u0003");
    while (prompts() === before) await new Promise((resolve) => setTimeout(resolve, 20));
    program.type("\u0003");
    expect(await program.code).toBe(130);
  });
});

test("the program on the bundled model answers a piped question in JSON lines", async () => {
  const program = startProgram("node", ["run", "--json"]);
  program.type("What is 47 + 85?\n");
  program.endInput();
  expect(await program.code).toBe(0);
  const parts = program
    .out()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; result?: { text: string } });
  expect(new Set(parts.map(({ type }) => type))).toEqual(new Set(["prefill", "reasoning", "text", "finish"]));
  expect(parts.at(-1)?.result?.text).toBe("132");
  expect(program.err()).toBe("");
});

test("the program on the bundled model forgets no turn of a piped conversation", async () => {
  const program = startProgram("node", ["chat", "-q", "--hide-thoughts"]);
  program.type("What is 47 + 85?\nAdd 7 to that.\n");
  program.endInput();
  expect(await program.code).toBe(0);
  expect(program.out()).toBe("132\n139\n");
});

test("the program tells its version from the package", async () => {
  const program = startProgram("node", ["--version"]);
  expect(await program.code).toBe(0);
  expect(program.out()).toBe(`${metadata.version}\n`);
});

test("the program inspects the bundled model", async () => {
  const program = startProgram("node", ["inspect", "--json"]);
  expect(await program.code).toBe(0);
  expect(JSON.parse(program.out())).toMatchObject({
    name: "ruminate-nano",
    architecture: "glm4",
    contextTrained: 512,
    thinks: true,
  });
});
