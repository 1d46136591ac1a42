import { describe, expect, test } from "vitest";
import { parseChatLine } from "../../../src/cli/chat-command.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { InferenceError } from "../../../src/errors.ts";
import type { HostScript } from "./scripted-host.ts";
import { createScriptedHost } from "./scripted-host.ts";
import type { Script } from "./scripted-sdk.ts";
import { answer, createScriptedSdk } from "./scripted-sdk.ts";

const play = async (host: Omit<HostScript, "arguments">, script: Script = {}, ...words: string[]) => {
  const { sdk, calls } = createScriptedSdk({ turns: [[answer("one")], [answer("two")], [answer("three")]], ...script });
  const scripted = createScriptedHost({ arguments: ["chat", ...words], ...host });
  const code = await runProgram(sdk, scripted);
  expect(scripted.listening()).toBe(0);
  return {
    code,
    out: scripted.out(),
    err: scripted.err(),
    calls,
    exits: scripted.exits,
    questions: scripted.questions(),
  };
};
const terminal = { stdoutIsTTY: true, stderrIsTTY: true, environment: { NO_COLOR: "1" } };

describe("ruminate chat on a terminal", () => {
  test("answers in one session that keeps no thoughts, until Ctrl-D", async () => {
    const { code, out, err, calls } = await play({ ...terminal, typed: ["Hi", "", "  And? ", "^D", "never read"] });
    expect({ code, out }).toEqual({ code: 0, out: "one\ntwo\n" });
    expect(calls.prompts.map(({ input }) => input)).toEqual(["Hi", "And?"]);
    expect(calls.sessions).toEqual([{ history: [], keepReasoning: "none" }]);
    expect(calls.closed).toBe(1);
    expect(err).toMatch(/^scripted, 512 tokens of context\. \/help/);
  });

  test("leaves at /exit", async () => {
    expect(await play({ ...terminal, typed: ["/exit", "Hi"] })).toMatchObject({ code: 0, out: "", questions: 1 });
  });

  test("leaves with 130 at Ctrl-C while idle, the model closed", async () => {
    const { code, err, calls, questions } = await play({ ...terminal, typed: ["Hi", "^C", "Hi"] });
    expect({ code, questions }).toEqual({ code: 130, questions: 2 });
    expect(calls.closed).toBe(1);
    expect(err).not.toContain("error");
  });

  test("a Ctrl-C during an answer stops only the answer", async () => {
    let presses = 0;
    const { code, out, err, calls, exits } = await play({
      ...terminal,
      typed: ["Hi", "Again"],
      onWrite: (text, host) => {
        if (text === "one" && presses++ === 0) host.interrupt();
      },
    });
    expect({ code, out, exits }).toEqual({ code: 0, out: "one\ntwo\n", exits: [] });
    expect(err).toContain("(stopped)");
    expect(calls.prompts).toHaveLength(2);
  });

  test("a second Ctrl-C while the first is being obeyed leaves at once", async () => {
    const { exits } = await play({
      ...terminal,
      typed: ["Hi"],
      onWrite: (text, host) => {
        if (text !== "one") return;
        host.interrupt();
        host.interrupt();
      },
    });
    expect(exits).toEqual([130]);
  });

  test("/think and /budget hold from the next message on", async () => {
    const { calls } = await play({
      ...terminal,
      typed: ["a", "/think off", "b", "/budget 50", "/think force", "c", "/budget unlimited", "d"],
    });
    expect(calls.prompts.map(({ options }) => options.reasoning)).toEqual([
      undefined,
      { mode: "off" },
      { mode: "force", budget: 50 },
      { mode: "force", budget: Infinity },
    ]);
    expect(calls.sessions).toHaveLength(1);
  });

  test("/reset forgets the conversation, not the system prompt", async () => {
    const { calls } = await play({ ...terminal, typed: ["a", "/reset", "b"] }, {}, "--system", "Short.");
    expect(calls.sessions).toEqual([
      { history: [], system: "Short.", keepReasoning: "none" },
      { history: [], system: "Short.", keepReasoning: "none" },
    ]);
  });

  test("/system changes the system prompt and keeps the conversation", async () => {
    const { calls } = await play(
      { ...terminal, typed: ["a", "/system Be kind.", "b", "/system", "c"] },
      {},
      "--system",
      "Short.",
    );
    expect(calls.sessions.map(({ system }) => system)).toEqual(["Short.", "Be kind.", undefined]);
    expect(calls.sessions.map(({ history }) => history.map(({ role }) => role))).toEqual([
      [],
      ["user", "assistant"],
      ["user", "assistant", "user", "assistant"],
    ]);
  });

  test("goes on after a mistaken command or a refused message, and says so even when quiet", async () => {
    const { code, err, calls } = await play(
      { ...terminal, typed: ["/thnik", "/budget many", "Hi"] },
      { turnError: new InferenceError("context-full", "Too long") },
      "-q",
    );
    expect(code).toBe(0);
    expect(err).toBe(
      "error: there is no /thnik; /help lists the commands, and // begins a message with a slash\n" +
        "error: /budget takes a number of tokens, or unlimited\n" +
        "error: Too long\n",
    );
    expect(calls.prompts).toHaveLength(1);
  });

  test("ends when the engine has crashed", async () => {
    const { code, err, questions } = await play(
      { ...terminal, typed: ["Hi", "Hi"] },
      { turnError: new InferenceError("crashed", "The engine is gone") },
    );
    expect({ code, questions }).toEqual({ code: 1, questions: 1 });
    expect(err).toContain("error: The engine is gone (crashed)\n");
  });

  test("/help lists the commands", async () => {
    const { err } = await play({ ...terminal, typed: ["/help"] });
    for (const name of ["/think", "/budget", "/system", "/reset", "/help", "/exit"]) expect(err).toContain(`\n${name}`);
  });
});

describe("ruminate chat from a pipe", () => {
  test("answers every line, each answer on its own", async () => {
    const { code, out, err, calls, questions } = await play({ piped: "What is 47 + 85?\n\nAdd 7.\n" }, {}, "--quiet");
    expect({ code, out, err, questions }).toEqual({ code: 0, out: "one\ntwo\n", err: "", questions: 0 });
    expect(calls.prompts.map(({ input }) => input)).toEqual(["What is 47 + 85?", "Add 7."]);
  });

  test("obeys commands, and ends with 2 at one that does not exist", async () => {
    const { code, calls } = await play({ piped: "/think off\na\n/nonsense\nb\n" });
    expect(code).toBe(2);
    expect(calls.prompts.map(({ options }) => options.reasoning)).toEqual([{ mode: "off" }]);
  });

  test("stops with 130 at Ctrl-C", async () => {
    const { code, out, calls } = await play({
      piped: "a\nb\n",
      onWrite: (text, host) => {
        if (text === "one") host.interrupt();
      },
    });
    expect({ code, out }).toEqual({ code: 130, out: "one\n" });
    expect(calls.prompts).toHaveLength(1);
    expect(calls.closed).toBe(1);
  });

  test("ends with 1 at the first failure", async () => {
    const { code, calls } = await play(
      { piped: "a\nb\n" },
      { turnError: new InferenceError("context-full", "Too long") },
    );
    expect(code).toBe(1);
    expect(calls.prompts).toHaveLength(1);
  });
});

test.each([
  ["hello", "hello"],
  ["//exit", "/exit"],
  ["/exit", { name: "exit" }],
  ["/quit", { name: "exit" }],
  ["/think  off", { name: "think", mode: "off" }],
  ["/budget 0", { name: "budget", tokens: 0 }],
  ["/system You are\tterse.", { name: "system", text: "You are\tterse." }],
  ["/system", { name: "system", text: "" }],
])("parseChatLine() reads %j", (line, meant) => {
  expect(parseChatLine(line)).toEqual(meant);
});

test.each(["/", "/think", "/think hard", "/budget", "/budget -1", "/budget 1 2", "/reasoning"])(
  "parseChatLine() refuses %j",
  (line) => {
    expect(() => parseChatLine(line)).toThrow(/^(\/think takes|\/budget takes|there is no \/)/);
  },
);
