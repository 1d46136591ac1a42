import { describe, expect, test } from "vitest";
import { InferenceError, type GenerateOptions, type Message, type Part, type Tool } from "../../../src/index.ts";
import type { FakeScript } from "../../fake-engine.ts";
import { lastPrompt, scriptedModel } from "./scripted-model.ts";

const user: readonly Message[] = [{ role: "user", content: "Hi" }];
const parameters = { type: "object", properties: { query: { type: "string" } }, required: ["query"] };
const facts: Record<string, string> = { boat: "owner Ned", Ned: "friend Dora" };
const search: Tool<{ query: string }> = { name: "search", parameters, execute: ({ query }) => facts[query] ?? "none" };
const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Says the next text in each turn, the last one ever after. */
function turns(...texts: string[]): FakeScript {
  let turn = 0;
  return (_, { options }) => (options.maxTokens === 0 ? "" : (texts[Math.min(turn++, texts.length - 1)] ?? ""));
}
const call = (query: unknown, name = "search"): string => `look\n</think>\n${name}\n${JSON.stringify({ query })}`;
const answer = "seen\n</think>\nDora.";

async function partsOf(parts: AsyncIterable<Part>): Promise<Part[]> {
  const all: Part[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

/** What the model was told of the one call that it made. */
async function toldOf(tool: Partial<Tool>, first = call("boat")): Promise<{ content: string; result: unknown }> {
  const { model } = scriptedModel(turns(first, answer));
  const parts = await partsOf(model.chat(user, { tools: [{ name: "search", parameters, ...tool }] }));
  const finish = parts.at(-1);
  if (finish?.type !== "finish") throw new Error("no finish");
  expect(finish.result.text).toBe("Dora.");
  const told = finish.result.toolMessages?.at(-1);
  const result = parts.find((part) => part.type === "tool-result");
  return { content: told?.content ?? "", result: result?.type === "tool-result" ? result.result : undefined };
}

describe("Model.chat() with tools that run", () => {
  test("runs calls until there are none, and streams each call and its result", async () => {
    const { model, engine } = scriptedModel(turns(call("boat"), call("Ned"), answer));
    const run = model.chat(user, { tools: [search] });
    const parts = await partsOf(run);
    const result = await run.result();
    const shown = parts.filter(({ type }) => type !== "prefill" && type !== "reasoning");
    expect(shown).toMatchObject([
      { type: "tool-call", call: { name: "search", arguments: { query: "boat" } } },
      { type: "tool-result", result: "owner Ned" },
      { type: "tool-call", call: { name: "search", arguments: { query: "Ned" } } },
      { type: "tool-result", result: "friend Dora" },
      { type: "text", text: "Dora" },
      { type: "text", text: "." },
      { type: "finish" },
    ]);
    const ids = shown.flatMap((part) =>
      part.type === "tool-call" ? [part.call.id] : part.type === "tool-result" ? [part.id] : [],
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).toBe(ids[3]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(result).toMatchObject({
      text: "Dora.",
      reasoning: "seen",
      message: { role: "assistant", content: "Dora." },
      finishReason: "stop",
    });
    expect(result.toolMessages).toMatchObject([
      { role: "assistant", toolCalls: [{ id: ids[0] }] },
      { role: "tool", toolCallId: ids[0], content: "owner Ned" },
      { role: "assistant", toolCalls: [{ id: ids[2] }] },
      { role: "tool", toolCallId: ids[2], content: "friend Dora" },
    ]);
    expect(lastPrompt(engine)).toContain('search\n{"query": "Ned"}<|observation|>\nfriend Dora<|assistant|>');
  });

  test("sums up what all turns spent", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const { usage } = await model.chat(user, { tools: [search] }).result();
    const alone = scriptedModel(turns(call("boat"), answer)).model;
    const first = await alone.chat(user, { tools: [search], maxSteps: 1 }).result();
    const more: Message[] = [
      ...user,
      first.message,
      { role: "tool", toolCallId: first.message.toolCalls?.[0]?.id ?? "", content: "owner Ned" },
    ];
    const second = await alone.chat(more, { tools: [search], maxSteps: 1 }).result();
    expect(first).toMatchObject({ finishReason: "tool-calls" });
    expect(first.toolMessages).toBeUndefined();
    for (const key of ["prompt", "cached", "text", "reasoning"] as const) {
      expect(usage[key]).toBe(first.usage[key] + second.usage[key]);
    }
  });

  test("stops after maxSteps turns, its calls left to the caller", async () => {
    const { model, engine } = scriptedModel(turns(call("boat")));
    let runs = 0;
    const tool: Tool = { name: "search", parameters, execute: () => ++runs };
    const result = await model.chat(user, { tools: [tool], maxSteps: 3 }).result();
    expect(runs).toBe(2);
    expect(result.finishReason).toBe("tool-calls");
    expect(result.message.toolCalls).toHaveLength(1);
    expect(result.toolMessages).toHaveLength(4);
    await model.chat(user, { tools: [tool] }).result();
    expect(runs).toBe(2 + 9);
    expect(engine.calls.length).toBeGreaterThan(12);
  });

  test("leaves a turn to the caller as a whole where one of its tools has no execute", async () => {
    const { model } = scriptedModel(turns(`${call("boat")}\nopen\n{"page": 1}`));
    let runs = 0;
    const tools: Tool[] = [
      { name: "search", parameters, execute: () => ++runs },
      { name: "open", parameters: { type: "object" } },
    ];
    const parts = await partsOf(model.chat(user, { tools }));
    expect(parts.filter(({ type }) => type.startsWith("tool"))).toMatchObject([
      { type: "tool-call", call: { name: "search" } },
      { type: "tool-call", call: { name: "open" } },
    ]);
    expect(runs).toBe(0);
  });

  test("runs the calls of a turn side by side, and tells results as they come, but the model in its order", async () => {
    const { model } = scriptedModel(turns(`${call("slow")}\nsearch\n{"query": "fast"}`, answer));
    const { promise: slow, resolve: release } = Promise.withResolvers<string>();
    const tool: Tool<{ query: string }> = {
      name: "search",
      parameters,
      execute: ({ query }) => (query === "slow" ? slow : "fast"),
    };
    const results: unknown[] = [];
    const run = model.chat(user, { tools: [tool] });
    for await (const part of run) {
      if (part.type !== "tool-result") continue;
      results.push(part.result);
      release("slow");
    }
    expect(results).toEqual(["fast", "slow"]);
    const { toolMessages = [] } = await run.result();
    expect(toolMessages.map(({ content }) => content)).toEqual(["", "slow", "fast"]);
  });

  test("lets others have the engine while tools run, the tool itself among them", async () => {
    const { model, engine } = scriptedModel(turns(call("boat"), "inner\n</think>\n42", answer));
    const tool: Tool = {
      name: "search",
      parameters,
      execute: async () => (await model.chat([{ role: "user", content: "Deep" }]).result()).text,
    };
    const { text, toolMessages } = await model.chat(user, { tools: [tool] }).result();
    expect([text, toolMessages?.at(-1)?.content]).toEqual(["Dora.", "42"]);
    expect(engine.calls.length).toBeGreaterThanOrEqual(3);
  });

  test.each<[string, unknown, string]>([
    ["a text", "a text", "a text"],
    ["JSON", { a: [1, null] }, '{"a":[1,null]}'],
    ["nothing", undefined, ""],
    ["null", null, "null"],
  ])("tells the model %s as it is", async (_, result, content) => {
    expect(await toldOf({ execute: () => result })).toEqual({ content, result });
  });

  test("tells the model what a tool throws, by itself or as a promise", async () => {
    const error = { error: "search failed: no network" };
    const execute = (): never => {
      throw new Error("no network");
    };
    expect(await toldOf({ execute })).toEqual({ content: JSON.stringify(error), result: error });
    expect(await toldOf({ execute: () => Promise.reject(new Error("no network")) })).toMatchObject({ result: error });
    expect((await toldOf({ execute: () => Symbol("a") })).content).toContain("symbol");
    expect((await toldOf({ execute: () => 10n })).content).toContain("search failed");
  });

  test("checks the arguments first, and tells the model what is wrong with them", async () => {
    let runs = 0;
    const told = await toldOf({ execute: () => ++runs }, call(7));
    expect(told.result).toEqual({
      error: "The arguments of search do not fit its schema: query must be of type string, not number.",
    });
    expect(runs).toBe(0);
  });

  test("tells the model of a call that could not be read", async () => {
    let runs = 0;
    const told = await toldOf({ execute: () => ++runs }, 'look\n</think>\nsearch\n{"query": boat}');
    expect(told.content).toContain("The call of search could not be read");
    expect(told.result).toMatchObject({ error: expect.stringContaining("boat") as string });
    expect(runs).toBe(0);
  });

  test("keeps the history as the model wrote it, whatever a tool does with its arguments", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const tool: Tool<{ query: string }> = {
      name: "search",
      parameters,
      execute: (args) => {
        args.query = "changed";
        return "ok";
      },
    };
    const { toolMessages } = await model.chat(user, { tools: [tool] }).result();
    expect(toolMessages?.[0]).toMatchObject({ toolCalls: [{ arguments: { query: "boat" } }] });
  });

  test("runs nothing where it is told of no tools, in raw completions, and where the reply was cut", async () => {
    let runs = 0;
    const tool: Tool = { name: "search", parameters, execute: () => ++runs };
    const { model } = scriptedModel(turns(call("boat")));
    await model.chat(user, { tools: [tool], toolChoice: "none" }).result();
    const raw = await model.generate("Q<think>\n", { tools: [tool] }).result();
    expect(raw.finishReason).toBe("tool-calls");
    // Cut anywhere, the call among it: what is half a call is no mistake of the model's.
    for (let maxTokens = 1; maxTokens < 16; maxTokens++) {
      const cut = await model.chat(user, { tools: [tool], maxTokens }).result();
      expect(cut).toMatchObject({ finishReason: "length", message: { role: "assistant" } });
      expect(cut.toolMessages).toBeUndefined();
    }
    expect(runs).toBe(0);
  });

  test("tells OpenAI's clients of calls that are left to them alone", async () => {
    const streamed = async (options: GenerateOptions): Promise<string> =>
      scriptedModel(turns(call("boat"), answer))
        .model.chat(user, options)
        .toResponse()
        .text();
    expect(await streamed({ tools: [search] })).not.toContain("tool_calls");
    const left = await streamed({ tools: [search], maxSteps: 1 });
    expect(left).toContain('"tool_calls":[{"index":0,');
    expect(left).toContain('"finish_reason":"tool_calls"');
  });

  test.each<[GenerateOptions, unknown]>([
    [{ maxSteps: 0 }, RangeError],
    [{ maxSteps: 1.5 }, RangeError],
    // @ts-expect-error: no function
    [{ tools: [{ name: "a", parameters: {}, execute: "run" }] }, TypeError],
  ])("refuses the options %j at once", (options, kind) => {
    // A class of errors, as toThrow() takes it.
    expect(() => scriptedModel(turns("")).model.chat(user, options)).toThrow(kind as typeof RangeError);
  });
});

describe("stopping while a tool runs", () => {
  const hanging = (): { tool: Tool; started: Promise<AbortSignal> } => {
    const { promise, resolve } = Promise.withResolvers<AbortSignal>();
    const execute: Tool["execute"] = (_, { signal }) => {
      resolve(signal);
      return new Promise(() => undefined);
    };
    return { tool: { name: "search", parameters, execute }, started: promise };
  };

  test("an abort rejects with its reason at once, and reaches the tool", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const { tool, started } = hanging();
    const controller = new AbortController();
    const run = reasonOf(model.chat(user, { tools: [tool], signal: controller.signal }).result());
    const signal = await started;
    expect(signal.aborted).toBe(false);
    controller.abort(new Error("enough"));
    expect(await run).toMatchObject({ message: "enough" });
    expect(signal.aborted).toBe(true);
    expect((await model.chat(user).result()).text).toBe("Dora.");
  });

  test("leaving the iteration ends the run, with what there is", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const { tool, started } = hanging();
    const run = model.chat(user, { tools: [tool] });
    const parts = run[Symbol.asyncIterator]();
    let part = await parts.next();
    while (part.value?.type !== "tool-call") part = await parts.next();
    const pending = parts.next();
    const signal = await started;
    await parts.return?.();
    expect((await pending).value).toMatchObject({ type: "finish", result: { finishReason: "abort" } });
    expect(signal.aborted).toBe(true);
    expect(await run.result()).toMatchObject({ finishReason: "abort", message: { toolCalls: [{ name: "search" }] } });
  });

  test("close() ends it with closed", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const { tool, started } = hanging();
    const run = reasonOf(model.chat(user, { tools: [tool] }).result());
    const signal = await started;
    await model.close();
    expect(InferenceError.is(await run, "closed")).toBe(true);
    expect(signal.aborted).toBe(true);
  });
});

describe("Session.prompt() with tools that run", () => {
  test("remembers calls and results, and what the last turn takes of the context", async () => {
    const { model, engine } = scriptedModel(turns(call("boat"), answer));
    const session = await model.session({ tools: [search] });
    const { toolMessages = [] } = await session.prompt("Hi").result();
    expect(session.messages.map(({ role, content }) => [role, content])).toEqual([
      ["user", "Hi"],
      ["assistant", ""],
      ["tool", "owner Ned"],
      ["assistant", "Dora."],
    ]);
    expect(toolMessages).toHaveLength(2);
    const prompt = engine.calls.filter(({ options }) => options.maxTokens > 0).at(-1)?.segments ?? [];
    const replied = engine.tokensOf([{ kind: "content", text: answer }]).length;
    expect(session.contextUsage).toBeGreaterThan(engine.tokensOf(prompt).length);
    expect(session.contextUsage).toBeLessThanOrEqual(engine.tokensOf(prompt).length + replied);
  });

  test("that was aborted in a tool keeps the history as it was", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const session = await model.session();
    const controller = new AbortController();
    const execute = (): unknown => {
      controller.abort(new Error("enough"));
      return new Promise(() => undefined);
    };
    const tools: Tool[] = [{ name: "search", parameters, execute }];
    expect(await reasonOf(session.prompt("Hi", { tools, signal: controller.signal }).result())).toMatchObject({
      message: "enough",
    });
    expect(session.messages).toEqual([]);
  });
});

describe("toolChoice", () => {
  const able = { capabilities: { grammar: true } };

  test("binds the answer to a call, not the thoughts, and the first turn alone", async () => {
    const thinksFirst: FakeScript = (prompt, { options }) => {
      if (options.maxTokens === 0) return "";
      if (prompt.includes("<|observation|>")) return answer;
      return options.format ? 'search\n{"query": "boat"}' : "look\n</think>\n";
    };
    const { model, engine } = scriptedModel(thinksFirst, able);
    const { text } = await model.chat(user, { tools: [search], toolChoice: "required" }).result();
    expect(text).toBe("Dora.");
    const formats = engine.calls.filter(({ options }) => options.maxTokens > 0).map(({ options }) => options.format);
    expect(formats).toMatchObject([undefined, { type: "gbnf" }, undefined]);
  });

  test("{ name } names that tool alone, and leaves a call without execute to the caller", async () => {
    const { model, engine } = scriptedModel(turns("look\n</think>\n", 'open\n{"page": 1}'), able);
    const tools: Tool[] = [
      { name: "search", parameters },
      { name: "open", parameters: { type: "object" } },
    ];
    const result = await model.chat(user, { tools, toolChoice: { name: "open" } }).result();
    expect(result.message.toolCalls).toMatchObject([{ name: "open", arguments: { page: 1 } }]);
    const format = engine.calls.at(-1)?.options.format;
    expect(format?.type === "gbnf" && format.grammar).toMatch(/^name ::= "open"$/m);
  });

  test("finds a session's tools for the choice of one prompt", async () => {
    const { model } = scriptedModel(turns("look\n</think>\n", 'search\n{"query": "boat"}', answer), able);
    const session = await model.session({ tools: [search] });
    expect((await session.prompt("Hi", { toolChoice: { name: "search" } }).result()).text).toBe("Dora.");
  });

  test("is refused where it can't be", async () => {
    const { model, engine } = scriptedModel(turns(answer), able);
    const chat = (options: GenerateOptions): Promise<unknown> => reasonOf(model.chat(user, options).result());
    expect(await chat({ toolChoice: "required" })).toBeInstanceOf(RangeError);
    expect(await chat({ toolChoice: { name: "open" }, tools: [search] })).toBeInstanceOf(RangeError);
    expect(await chat({ toolChoice: "required", tools: [search], format: { type: "json" } })).toBeInstanceOf(TypeError);
    // @ts-expect-error: no choice
    expect(() => model.chat(user, { toolChoice: "always" })).toThrow(TypeError);
    const unable = scriptedModel(turns(answer)).model.chat(user, { toolChoice: "required", tools: [search] });
    expect(await reasonOf(unable.result())).toMatchObject({ code: "unsupported" });
    expect(engine.calls).toHaveLength(0);
  });
});
