import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Part, Result } from "../../../src/cli/sdk.ts";
import type { Chunk, Renderer, TextOptions } from "../../../src/cli/render.ts";
import { dim, jsonRenderer, textRenderer, wantsColor } from "../../../src/cli/render.ts";
import { answer, thought } from "./scripted-sdk.ts";

const terminal = { isTTY: true, color: true };
const plainTerminal = { isTTY: true, color: false };
const file = { isTTY: false, color: false };

const playThrough = (renderer: Renderer, parts: readonly Part[]): { out: string; err: string } => {
  const chunks: Chunk[] = [...parts.flatMap((part) => renderer.render(part)), ...renderer.end()];
  const joined = (to: Chunk["to"]): string => chunks.flatMap((chunk) => (chunk.to === to ? [chunk.text] : [])).join("");
  return { out: joined("out"), err: joined("err") };
};
const shown = (options: TextOptions, ...parts: Part[]): { out: string; err: string } =>
  playThrough(textRenderer(options), parts);

describe("textRenderer() on a terminal", () => {
  test("dims thoughts, leaves a line between them and the plain answer", () => {
    const { out, err } = shown(
      { out: terminal, err: terminal },
      thought("\nI add"),
      thought(" them.\n"),
      answer("\n132"),
      answer("\n"),
    );
    expect(out).toBe("\u001b[2mI add\u001b[22m\u001b[2m them.\u001b[22m\n\n132\n");
    expect(err).toBe("");
  });

  test("puts thoughts behind a bar where there is no colour", () => {
    const { out } = shown(
      { out: plainTerminal, err: plainTerminal },
      thought("one\ntw"),
      thought("o\n\n"),
      thought("three"),
      answer("3"),
    );
    expect(out).toBe("| one\n| two\n| \n| three\n\n3\n");
  });

  test("leaves no gap for an empty thinking block", () => {
    expect(shown({ out: terminal, err: terminal }, thought("\n\n"), answer("Hi")).out).toBe("Hi\n");
  });

  test("closes dimming with every piece, so that a stopped run leaves none behind", () => {
    const { out } = shown({ out: terminal, err: terminal }, thought("I was inter"));
    expect(out).toBe("\u001b[2mI was inter\u001b[22m\n");
  });

  test("replaces control characters that would steer it", () => {
    const { out } = shown({ out: terminal, err: terminal }, answer("a\u001b]0;title\u0007b\r\u009b2Jc\td\n"));
    expect(out).toBe("a\u{fffd}]0;title\u{fffd}b\u{fffd}\u{fffd}2Jc\td\n");
  });

  test("shows thoughts again after an answer", () => {
    const { out } = shown(
      { out: plainTerminal, err: plainTerminal },
      thought("a"),
      answer("b"),
      thought("c"),
      answer("d"),
    );
    expect(out).toBe("| a\n\nb\n\n| c\n\nd\n");
  });
});

describe("textRenderer() into a file", () => {
  test("keeps the answer alone on out, thoughts on err", () => {
    const { out, err } = shown({ out: file, err: file }, thought("\nI add\n"), answer("\n47 + 85"), answer(" = 132\n"));
    expect(out).toBe("47 + 85 = 132\n");
    expect(err).toBe("I add\n");
  });

  test("dims thoughts on a terminal beside it", () => {
    expect(shown({ out: file, err: terminal }, thought("hm"), answer("x")).err).toBe("\u001b[2mhm\u001b[22m\n");
  });

  test("keeps control characters, which are the reader's business", () => {
    expect(shown({ out: file, err: file }, answer("a\u001b[1mb")).out).toBe("a\u001b[1mb\n");
  });

  test("hides thoughts on request", () => {
    expect(shown({ out: file, err: file, hideThoughts: true }, thought("hm"), answer("x"))).toEqual({
      out: "x\n",
      err: "",
    });
  });

  test("shows nothing of a run without text", () => {
    expect(shown({ out: file, err: file }, { type: "prefill", done: 1, total: 2, cached: 0 })).toEqual({
      out: "",
      err: "",
    });
  });

  test("gives the same bytes wherever the pieces were cut", () => {
    const words = fc
      .array(fc.constantFrom("a", "b", " ", "\n", "é"), { maxLength: 24 })
      .map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(words, words, fc.nat(24), fc.nat(24), (thoughts, text, first, second) => {
        const options = { out: file, err: file };
        const whole = shown(options, thought(thoughts), answer(text));
        const cut = shown(
          options,
          thought(thoughts.slice(0, first)),
          thought(thoughts.slice(first)),
          answer(text.slice(0, second)),
          answer(text.slice(second)),
        );
        expect(cut).toEqual(whole);
        expect(whole).toEqual({
          out: text.trim() === "" ? "" : `${text.trim()}\n`,
          err: thoughts.trim() === "" ? "" : `${thoughts.trim()}\n`,
        });
      }),
    );
  });

  test("with raw gives every character and adds none", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (pieces) => {
        const { out } = shown({ out: file, err: file, raw: true }, ...pieces.map(answer));
        expect(out).toBe(pieces.join(""));
      }),
    );
  });
});

describe("jsonRenderer()", () => {
  const result: Result = {
    text: "132",
    reasoning: "I add",
    message: { role: "assistant", content: "132", reasoning: "I add" },
    finishReason: "stop",
    reasoningEnd: "model",
    usage: { prompt: 3, cached: 0, text: 1, reasoning: 2 },
    timings: { loadMs: 1, prefillMs: 1, decodeMs: 1, firstTokenMs: 1, tokensPerSecond: 1 },
  };
  const parts: Part[] = [thought("I add\n"), answer("132\u2028"), { type: "finish", result }];

  test("writes one object a line, the parts as they are", () => {
    const { out, err } = playThrough(jsonRenderer(), parts);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(parts);
    expect(err).toBe("");
  });

  test("hides thoughts in parts and result", () => {
    const { out } = playThrough(jsonRenderer({ hideThoughts: true }), parts);
    expect(out).not.toContain("I add");
    expect(out.trimEnd().split("\n")).toHaveLength(2);
  });
});

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: "1" }, true, false],
  [{ NO_COLOR: "" }, true, true],
  [{ TERM: "dumb" }, true, false],
  [{ FORCE_COLOR: "1" }, false, true],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
  [{ FORCE_COLOR: "0" }, true, false],
])("wantsColor() honours %j on a terminal: %s", (environment, isTTY, expected) => {
  expect(wantsColor(isTTY, environment)).toBe(expected);
});

test("dim() writes nothing around nothing", () => {
  expect(dim("", { color: true })).toBe("");
});
