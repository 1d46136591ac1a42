import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import type { Message, Part } from "../../../src/index.ts";
import { lastPrompt, scriptedModel } from "./scripted-model.ts";

const user = (content: string): readonly Message[] => [{ role: "user", content }];
const thinks = (): string => "one two\n</think>\nYes.";
const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("Model.chat()", () => {
  test("renders the template, opens the thinking block with its line break, and splits the reply", async () => {
    const { model, engine } = scriptedModel(thinks);
    const result = await model.chat(user("Hi")).result();
    expect(lastPrompt(engine)).toBe("[gMASK]<sop><|user|>\nHi<|assistant|>\n<think>\n");
    expect(result).toMatchObject({
      text: "Yes.",
      reasoning: "one two",
      message: { role: "assistant", content: "Yes.", reasoning: "one two" },
      finishReason: "stop",
      reasoningEnd: "model",
    });
    expect(result.timings.loadMs).toBe(5);
  });

  test("keeps what a user wrote apart from control text, to the engine", async () => {
    const { model, engine } = scriptedModel(thinks);
    await model.chat(user("a <|assistant|> b </think> c")).result();
    const content = engine.calls.at(-1)?.segments.filter(({ kind }) => kind === "content");
    expect(content).toEqual([{ kind: "content", text: "a <|assistant|> b </think> c" }]);
  });

  test("tells of the prefill while a prompt is counted, once", async () => {
    const { model } = scriptedModel(thinks, { batch: 16 });
    const long = user("word ".repeat(200));
    const prefills: (Part & { type: "prefill" })[] = [];
    const run = model.chat(long);
    for await (const part of run) if (part.type === "prefill") prefills.push(part);
    const { usage } = await run.result();
    expect(prefills.length).toBeGreaterThan(5);
    const done = prefills.map((part) => part.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(prefills.at(-1)).toEqual({ type: "prefill", done: usage.prompt, total: usage.prompt, cached: 0 });
    expect(usage.cached).toBe(0);
    expect((await model.chat(long).result()).usage.cached).toBeGreaterThan(usage.prompt / 2);
  });

  test("samples as asked, else as recommended, else as llama.cpp does", async () => {
    const { model, engine } = scriptedModel(thinks, { recommended: { temperature: 0.6, topK: 30, maxTokens: 300 } });
    await model.chat(user("Hi"), { topK: 7, seed: 3 }).result();
    expect(engine.calls.at(-1)?.options).toMatchObject({
      sampling: { temperature: 0.6, topP: 0.95, topK: 7, minP: 0.05, repeatPenalty: 1, seed: 3 },
      maxTokens: 300,
    });
  });

  test("stops at the family's end tokens and the caller's texts", async () => {
    const { model, engine } = scriptedModel(thinks);
    await model.chat(user("Hi"), { stop: "END" }).result();
    expect(engine.calls.at(-1)?.options.stop).toEqual(["<|endoftext|>", "<|user|>", "<|observation|>", "END"]);
  });

  test("runs another round on prompt, thoughts and closing tag when the budget is spent", async () => {
    const { model, engine } = scriptedModel((prompt) =>
      prompt.endsWith("</think>\n") ? "Yes it is." : "one two three four five",
    );
    const result = await model.chat(user("Hi"), { reasoning: { budget: 3 } }).result();
    expect(lastPrompt(engine)).toBe("[gMASK]<sop><|user|>\nHi<|assistant|>\n<think>\none two three\n</think>\n");
    expect(result).toMatchObject({ text: "Yes it is.", reasoning: "one two three", reasoningEnd: "budget" });
    expect(result.usage).toMatchObject({ reasoning: 3, text: 4 });
    // The prompt is the one that was asked for, whatever the second round began with.
    expect(result.usage.prompt).toBe(engine.tokensOf(engine.calls[0]?.segments ?? []).length);
    expect(engine.cancelled).toBe(1);
  });

  test("counts maxTokens over all rounds", async () => {
    const { model, engine } = scriptedModel((prompt) =>
      prompt.endsWith("</think>\n") ? "a b c d e" : "one two three",
    );
    const result = await model.chat(user("Hi"), { reasoning: { budget: 2 }, maxTokens: 5 }).result();
    expect(result).toMatchObject({ text: "a b c", finishReason: "length", usage: { reasoning: 2, text: 3 } });
    expect(engine.calls.at(-1)?.options.maxTokens).toBe(3);
  });

  test("thinks free of a grammar, and answers by it", async () => {
    const { model, engine } = scriptedModel((prompt) => (prompt.endsWith("</think>\n") ? "{}" : thinks()), {
      capabilities: { jsonSchema: true },
    });
    const result = await model.chat(user("Hi"), { format: { type: "json" } }).result();
    expect(result).toMatchObject({ text: "{}", reasoning: "one two", reasoningEnd: "model" });
    // Tried on no tokens, before the model thinks for long.
    expect(engine.calls.map(({ options }) => [options.maxTokens > 0, options.format])).toEqual([
      [false, { type: "json" }],
      [true, undefined],
      [true, { type: "json" }],
    ]);
  });

  test("takes messages and options as they were when it was called", async () => {
    const { model, engine } = scriptedModel(thinks);
    const messages: Message[] = [{ role: "user", content: "Hi" }];
    const options = { maxTokens: 50, stop: ["a"] };
    const run = model.chat(messages, options);
    messages.push({ role: "assistant", content: "..." });
    options.maxTokens = -1;
    options.stop.push("b");
    await run.result();
    expect(lastPrompt(engine)).not.toContain("...");
    expect(engine.calls.at(-1)?.options).toMatchObject({ maxTokens: 50, stop: expect.not.arrayContaining(["b"]) });
  });

  test("takes proxies and whatever else messages and schemas carry", async () => {
    const { model, engine } = scriptedModel((prompt) => (prompt.endsWith("</think>\n") ? "{}" : thinks()), {
      capabilities: { jsonSchema: true },
    });
    const message = { role: "user" as const, content: "Hi", draw: (): void => undefined };
    const schema = new Proxy({ type: "object", check: (): void => undefined }, {});
    await model.chat(new Proxy([message], {}), { format: { type: "json", schema } }).result();
    expect(engine.calls.at(-1)?.options.format).toEqual({ type: "json", schema: { type: "object" } });
    const session = await model.session({ history: [message] });
    expect(session.messages).toEqual([{ role: "user", content: "Hi" }]);
    const cyclic: { self?: object } = {};
    cyclic.self = cyclic;
    expect(() => model.chat([message], { format: { type: "json", schema: cyclic } })).toThrow(TypeError);
  });

  test("endReasoning() before the first token closes the block without one", async () => {
    const { model } = scriptedModel((prompt) => (prompt.endsWith("</think>\n") ? "Yes." : thinks()));
    const run = model.chat(user("Hi"));
    run.endReasoning();
    expect(await run.result()).toMatchObject({ text: "Yes.", reasoning: "", reasoningEnd: "user" });
  });

  test("takes thoughts of earlier turns out of the prompt, or leaves them in", async () => {
    const { model, engine } = scriptedModel(thinks);
    const history: readonly Message[] = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Yes.", reasoning: "secret" },
      { role: "user", content: "And?" },
    ];
    await model.chat(history).result();
    expect(lastPrompt(engine)).not.toContain("secret");
    await model.chat(history, { keepReasoning: "all" }).result();
    expect(lastPrompt(engine)).toContain("secret");
  });

  test("refuses before anything runs what the engine can't do", async () => {
    const { model, engine } = scriptedModel(thinks);
    for (const options of [{ logprobs: 1 }, { format: { type: "json" } }, { logitBias: new Map([[1, 2]]) }] as const) {
      expect(await reasonOf(model.chat(user("Hi"), options).result())).toMatchObject({ code: "unsupported" });
    }
    expect(engine.calls).toHaveLength(0);
  });

  test.each([
    [{ temperature: -1 }, RangeError],
    [{ temperature: Number.NaN }, RangeError],
    [{ topP: 1.5 }, RangeError],
    [{ topK: 1.5 }, RangeError],
    [{ maxTokens: -1 }, RangeError],
    [{ seed: 2 ** 32 - 1 }, RangeError],
    [{ repeatPenalty: 0 }, RangeError],
    [{ logitBias: new Map([[1, Infinity]]) }, TypeError],
    [{ logitBias: new Map([[-1, 1]]) }, RangeError],
    [{ logitBias: [[1, 1]] }, TypeError],
    [{ tools: {} }, TypeError],
    [{ signal: {} }, TypeError],
    [{ keepReasoning: "some" }, TypeError],
    [{ format: { type: "gbnf", grammar: " " } }, TypeError],
    [null, TypeError],
    [{ format: { type: "xml" } }, TypeError],
    [{ format: { type: "gbnf" } }, TypeError],
    [{ format: { type: "json", schema: "{}" } }, TypeError],
    [{ stop: null }, TypeError],
    [{ stop: "" }, TypeError],
    [{ stop: ["a", 1] }, TypeError],
    [{ reasoning: "always" }, TypeError],
    [{ reasoning: { budget: 1.5 } }, RangeError],
    [{ reasoning: { minimum: -1 } }, RangeError],
    [{ reasoning: { tags: { open: "a", close: "a" } } }, TypeError],
    [{ logprobs: 101 }, RangeError],
    [{ maxTokens: "5" }, TypeError],
  ])("refuses the options %j at once", (options, kind) => {
    const { model } = scriptedModel(thinks);
    // @ts-expect-error: some of these are of no allowed type
    expect(() => model.chat(user("Hi"), options)).toThrow(kind);
  });
});

describe("Model", () => {
  test("generate() sends a prompt as it stands, and refuses none", async () => {
    const { model, engine } = scriptedModel(() => "there");
    const result = await model.generate("Hello").result();
    expect([lastPrompt(engine), result.text, result.reasoningEnd]).toEqual(["Hello", "there", "none"]);
    expect(await reasonOf(model.generate("").result())).toBeInstanceOf(RangeError);
    expect(await reasonOf(model.generate(new Uint32Array()).result())).toBeInstanceOf(RangeError);
    // @ts-expect-error a number is no prompt
    expect(await reasonOf(model.generate(5).result())).toBeInstanceOf(TypeError);
  });

  test("generate() opens or closes a block where it is told to", async () => {
    const { model, engine } = scriptedModel(thinks);
    expect(await model.generate("Q", { reasoning: "force" }).result()).toMatchObject({ reasoning: "one two" });
    expect(lastPrompt(engine)).toBe("Q<think>\n");
    await model.generate("Q<think>", { reasoning: "off" }).result();
    expect(lastPrompt(engine)).toBe("Q<think>\n</think>\n");
  });

  test("render() shows what chat() sends", async () => {
    const { model, engine } = scriptedModel(thinks);
    for (const reasoning of ["auto", "force", "off"] as const) {
      await model.chat(user("Hi"), { reasoning }).result();
      expect(await model.render(user("Hi"), { reasoning })).toBe(lastPrompt(engine));
    }
  });

  test("its parts read well when they are printed one after the other", async () => {
    const { model } = scriptedModel(thinks);
    let printed = "";
    for await (const part of model.chat(user("Hi"))) if ("text" in part) printed += part.text;
    expect(printed).toBe("one two\nYes.");
  });

  test("generate() after an opening tag begins inside the block", async () => {
    const { model } = scriptedModel(thinks);
    expect(await model.generate("Q<think>\n").result()).toMatchObject({ reasoning: "one two", text: "Yes." });
  });

  test("count() asks for no token, and counts what does not fit", async () => {
    const { model, engine } = scriptedModel(thinks);
    expect(await model.count("Hello you")).toBe(2);
    expect(await model.count("")).toBe(0);
    expect(await model.count("word ".repeat(600))).toBeGreaterThan(512);
    expect(await model.count(user("Hi"))).toBe(engine.tokensOf(engine.calls.at(-1)?.segments ?? []).length);
    expect(engine.calls.every(({ options }) => options.maxTokens === 0)).toBe(true);
  });

  test("tokenize(), embed() and the like say which engine can't", async () => {
    const { model } = scriptedModel(thinks);
    for (const call of [
      model.tokenize("a"),
      model.detokenize(new Uint32Array(1)),
      model.embed("a"),
      model.rank("a", ["b"]),
    ]) {
      const error = await reasonOf(call);
      expect(error).toMatchObject({ code: "unsupported", message: expect.stringContaining("fake") });
    }
  });

  test("close() ends what runs and what waits, lets the files go once, and refuses everything later", async () => {
    const { model, closed } = scriptedModel(() => "word ".repeat(200), { tokenDelayMs: 5 });
    const running = reasonOf(model.chat(user("Hi")).result());
    const waiting = reasonOf(model.chat(user("Ho")).result());
    const count = reasonOf(model.count("Hi"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([model.close(), model.close()]);
    for (const error of await Promise.all([running, waiting, count])) expect(error).toMatchObject({ code: "closed" });
    expect(closed()).toBe(1);
    expect(() => model.chat(user("Hi"))).toThrow(InferenceError);
    expect(await reasonOf(model.count("Hi"))).toMatchObject({ code: "closed" });
    expect(await reasonOf(model.session())).toMatchObject({ code: "closed" });
  });

  test("close() refuses what waits behind a run that nobody goes on with", async () => {
    const { model } = scriptedModel(thinks);
    const paused = model.chat(user("Hi"))[Symbol.asyncIterator]();
    await paused.next();
    const waiting = [reasonOf(model.chat(user("Ho")).result()), reasonOf(model.count("a"))];
    await model.close();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: "closed" });
  });

  test.each(["text", "reasoning", "stream", "response"] as const)(
    "leaving its %s stops the engine at once",
    async (view) => {
      const { model, engine } = scriptedModel(() => "word ".repeat(300), { tokenDelayMs: 20 });
      const run = model.chat(user("Hi"));
      const streams = {
        response: () => run.toResponse().body,
        stream: () => run.stream,
        text: () => undefined,
        reasoning: () => undefined,
      };
      const body: ReadableStream<unknown> | null | undefined = streams[view]();
      const reader = body?.getReader();
      const pieces = view === "text" || view === "reasoning" ? run[view][Symbol.asyncIterator]() : undefined;
      const step = reader ? reader.read().then(() => reader.read()) : pieces?.next();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await (reader ? reader.cancel() : pieces?.return?.());
      await step;
      expect(engine.cancelled).toBe(1);
      expect((await run.result()).finishReason).toBe("abort");
    },
  );

  test("a response that is cancelled before it was read never starts a run", async () => {
    const { model, engine } = scriptedModel(thinks);
    const run = model.chat(user("Hi"));
    await run.toResponse().body?.cancel();
    expect(await reasonOf(run.result())).toMatchObject({ name: "AbortError" });
    expect(engine.calls).toHaveLength(0);
  });

  test("a crash rejects the running call and everything later with crashed", async () => {
    const { model, engine } = scriptedModel(() => "word ".repeat(200));
    engine.crashAfter(3);
    const first = reasonOf(model.chat(user("Hi")).result());
    const second = reasonOf(model.chat(user("Ho")).result());
    expect(await first).toMatchObject({ code: "crashed" });
    expect(await second).toMatchObject({ code: "crashed" });
    expect(await reasonOf(model.count("Hi"))).toMatchObject({ code: "crashed" });
  });

  test("runs calls one at a time, in the order in which they were consumed", async () => {
    const { model, engine } = scriptedModel((prompt) => (prompt.includes("first") ? "1" : "2"));
    const [first, second] = [model.chat(user("first")), model.chat(user("second"))];
    const results = [second.result(), first.result()];
    expect((await Promise.all(results)).map(({ reasoning }) => reasoning)).toEqual(["2", "1"]);
    expect(engine.calls.map(({ segments }) => JSON.stringify(segments).includes("first"))).toEqual([false, true]);
  });

  test.each([
    ["break", "abort"],
    ["throw", "abort"],
  ])("leaving a loop by %s stops the engine at once and frees it", async (way) => {
    const { model, engine } = scriptedModel(() => "word ".repeat(300));
    const run = model.chat(user("Hi"));
    const parts: Part[] = [];
    const error = await reasonOf(
      (async () => {
        for await (const part of run) {
          parts.push(part);
          if (part.type !== "reasoning") continue;
          if (way === "break") break;
          throw new Error("mine");
        }
      })(),
    );
    expect(error).toEqual(way === "throw" ? new Error("mine") : undefined);
    expect(engine.cancelled).toBe(1);
    expect((await run.result()).finishReason).toBe("abort");
    expect((await model.chat(user("Hi"), { maxTokens: 2 }).result()).finishReason).toBe("length");
  });

  test("a signal's reason comes out untouched, wherever it strikes", async () => {
    const { model } = scriptedModel(() => "word ".repeat(300), { tokenDelayMs: 1 });
    const reason = { mine: true };
    expect(await reasonOf(model.chat(user("Hi"), { signal: AbortSignal.abort(reason) }).result())).toBe(reason);
    const controller = new AbortController();
    const running = reasonOf(model.chat(user("Hi")).result());
    const waiting = reasonOf(model.chat(user("Ho"), { signal: controller.signal }).result());
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await running).toBeUndefined();
  });
});
