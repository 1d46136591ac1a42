import { describe, expect, test } from "vitest";
import type { Message } from "../../../src/index.ts";
import { lastPrompt, scriptedModel } from "./scripted-model.ts";

const thinks = (): string => "hm\n</think>\nYes.";
const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const turn = (question: string): Message[] => [
  { role: "user", content: question },
  { role: "assistant", content: "Yes." },
];

describe("Session", () => {
  test("remembers answers without thoughts, and sends them with the next prompt", async () => {
    const { model, engine } = scriptedModel(thinks);
    const session = await model.session({ system: "Be short." });
    await session.prompt("One?").result();
    await session.prompt("Two?").result();
    expect(session.messages).toEqual([{ role: "system", content: "Be short." }, ...turn("One?"), ...turn("Two?")]);
    expect(lastPrompt(engine)).toBe(
      "[gMASK]<sop><|system|>\nBe short.<|user|>\nOne?<|assistant|>\nYes.<|user|>\nTwo?<|assistant|>\n<think>\n",
    );
  });

  test("evaluates only what the turn before did not", async () => {
    const { model } = scriptedModel(thinks);
    const session = await model.session();
    const first = await session.prompt("One?").result();
    const { usage } = await session.prompt("Two?").result();
    // Up to the first reply, where this time there are no thoughts.
    expect(usage.cached).toBeGreaterThanOrEqual(first.usage.prompt - 4);
  });

  test("begins with the history that it is given, and keeps a copy of its own", async () => {
    const history = turn("One?");
    const { model } = scriptedModel(thinks);
    const session = await model.session({ history });
    history.push({ role: "user", content: "later" });
    expect(session.messages).toEqual(turn("One?"));
    const [first] = session.messages;
    if (first) first.content = "changed";
    expect(session.messages).toEqual(turn("One?"));
  });

  test("is as it was after a turn that was left, aborted, or failed", async () => {
    const { model } = scriptedModel(() => "word ".repeat(100));
    const session = await model.session({ history: turn("One?") });
    for await (const part of session.prompt("Two?")) if (part.type === "reasoning") break;
    expect(session.messages).toEqual(turn("One?"));
    const reason = new Error("enough");
    expect(await reasonOf(session.prompt("Two?", { signal: AbortSignal.abort(reason) }).result())).toBe(reason);
    expect(await reasonOf(session.prompt("word ".repeat(9000)).result())).toMatchObject({ code: "context-full" });
    expect(session.messages).toEqual(turn("One?"));
  });

  test("applies its own options to every prompt, and a prompt's over them", async () => {
    const { model, engine } = scriptedModel(thinks);
    const session = await model.session({ temperature: 0.1, topK: 3 });
    await session.prompt("One?", { topK: 5 }).result();
    expect(engine.calls.at(-1)?.options.sampling).toMatchObject({ temperature: 0.1, topK: 5 });
  });

  test("keeps thoughts where it is told to", async () => {
    const { model, engine } = scriptedModel(thinks);
    const session = await model.session({ keepReasoning: "all" });
    await session.prompt("One?").result();
    expect(session.messages.at(-1)).toEqual({ role: "assistant", content: "Yes.", reasoning: "hm" });
    await session.prompt("Two?").result();
    expect(lastPrompt(engine)).toContain("hm");
  });

  test("takes turns that overlap one after the other, and loses none", async () => {
    const { model, engine } = scriptedModel(thinks);
    const session = await model.session();
    const runs = ["One?", "Two?", "Three?"].map((question) => session.prompt(question).result());
    const appended = session.append(turn("Four?"));
    await Promise.all([...runs, appended]);
    expect(session.messages).toEqual(["One?", "Two?", "Three?", "Four?"].flatMap(turn));
    expect(engine.calls.length).toBeGreaterThan(3);
  });

  test("lets a turn be left or aborted while it waits for another", async () => {
    const { model } = scriptedModel(() => "word ".repeat(100), { tokenDelayMs: 1 });
    const session = await model.session();
    const first = session.prompt("One?", { maxTokens: 50 }).result();
    const left = session.prompt("Two?");
    const iterator = left[Symbol.asyncIterator]();
    const step = iterator.next();
    await iterator.return?.();
    await step;
    expect((await left.result()).finishReason).toBe("abort");
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = reasonOf(session.prompt("Three?", { signal: controller.signal }).result());
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    expect((await first).finishReason).toBe("length");
    expect(session.messages.filter(({ role }) => role === "user")).toEqual([{ role: "user", content: "One?" }]);
  });

  test("copies what it is given", async () => {
    const { model, engine } = scriptedModel(thinks);
    const session = await model.session();
    const added: Message[] = [{ role: "user", content: "One?" }];
    const run = session.prompt(added);
    added.push({ role: "user", content: "Never said" });
    await run.result();
    expect(lastPrompt(engine)).not.toContain("Never said");
  });

  test.each([
    [{ size: -3 }, RangeError],
    [{ size: "lots" }, TypeError],
    [{ kvType: "bogus" }, TypeError],
    [{ overflow: "shrug" }, TypeError],
    [{ extend: "more" }, TypeError],
  ])("refuses the context %j when it starts", async (context, kind) => {
    const { model } = scriptedModel(thinks);
    // @ts-expect-error: most are of no allowed type
    expect(await reasonOf(model.session({ context }))).toBeInstanceOf(kind);
  });

  test("append() adds messages and counts them; measureContextUsage() adds nothing", async () => {
    const { model, engine } = scriptedModel(thinks);
    const session = await model.session();
    await session.append(turn("One?"));
    expect(session.messages).toEqual(turn("One?"));
    const usage = session.contextUsage;
    expect(usage).toBe(engine.tokensOf(engine.calls.at(-1)?.segments ?? []).length);
    expect(await session.measureContextUsage("Two?")).toBeGreaterThan(usage);
    expect([session.messages.length, session.contextUsage]).toEqual([2, usage]);
  });

  test("clone() shares what was said and nothing that comes after", async () => {
    const { model } = scriptedModel(thinks);
    const session = await model.session({ system: "Be short." });
    await session.prompt("One?").result();
    const copy = await session.clone();
    await copy.prompt("Two?").result();
    await session.close();
    expect(session.messages).toHaveLength(0);
    expect(copy.messages).toEqual([{ role: "system", content: "Be short." }, ...turn("One?"), ...turn("Two?")]);
    expect(await reasonOf(session.clone())).toMatchObject({ code: "closed" });
    const reason = new Error("no");
    expect(await reasonOf(copy.clone({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  test("close() is idempotent and refuses everything later; the model lives on", async () => {
    const { model } = scriptedModel(thinks);
    const session = await model.session();
    await session.close();
    await session.close();
    expect(() => session.prompt("One?")).toThrow(expect.objectContaining({ code: "closed" }));
    expect(await reasonOf(session.append([]))).toMatchObject({ code: "closed" });
    expect(await reasonOf(session.save())).toMatchObject({ code: "closed" });
    expect((await model.chat(turn("One?").slice(0, 1)).result()).text).toBe("Yes.");
  });

  test("save() and restore() are unsupported where the engine can't copy its state", async () => {
    const { model } = scriptedModel(thinks);
    const session = await model.session();
    expect(await reasonOf(session.save())).toMatchObject({ code: "unsupported" });
    expect(await reasonOf(session.restore(new Blob()))).toMatchObject({ code: "unsupported" });
  });
});

describe("Session with overflow", () => {
  const long = (index: number): string => `q${index} ${"word ".repeat(60)}`;

  test.each(["drop-oldest", "shift"] as const)(
    "%s drops whole turns, keeps the system message, and says so",
    async (overflow) => {
      const { model, engine } = scriptedModel(thinks);
      const session = await model.session({ system: "Be short.", context: { size: 256, extend: "off", overflow } });
      let told = 0;
      session.addEventListener("contextoverflow", () => told++);
      for (let index = 0; index < 8; index++) await session.prompt(long(index), { maxTokens: 20 }).result();
      expect(told).toBeGreaterThan(0);
      const { messages } = session;
      expect(messages[0]).toEqual({ role: "system", content: "Be short." });
      expect(messages.slice(1).map(({ role }) => role)).toEqual(
        messages.slice(1).map((_, index) => (index % 2 === 0 ? "user" : "assistant")),
      );
      expect(messages.at(-2)?.content).toBe(long(7));
      expect(messages.length).toBeLessThan(17);
      expect(engine.tokensOf(engine.calls.at(-1)?.segments ?? []).length).toBeLessThan(256);
    },
  );

  test("drop-oldest leaves room for a reply that was not asked for by number", async () => {
    const { model } = scriptedModel(thinks);
    const history = Array.from({ length: 3 }, (_, index) => turn(long(index))).flat();
    const context = { size: 256, extend: "off", overflow: "drop-oldest" } as const;
    const session = await model.session({ history, context });
    const { usage, text } = await session.prompt(long(3)).result();
    expect(text).toBe("Yes.");
    expect(usage.prompt).toBeLessThanOrEqual(256 - 64);
    // What can't be shortened takes the room that there is.
    const alone = await model.session({ context });
    const { usage: full } = await alone.prompt("word ".repeat(230)).result();
    expect(full.prompt).toBeGreaterThan(256 - 64);
  });

  test("error refuses the turn with what it needs and what there is", async () => {
    const { model } = scriptedModel(thinks);
    const session = await model.session({ context: { size: 256, extend: "off", overflow: "error" } });
    const error = await reasonOf(session.prompt("word ".repeat(400)).result());
    expect(error).toMatchObject({ code: "context-full", details: { window: 256 } });
  });

  test("a function is given the messages and the numbers, and its answer is used", async () => {
    const { model, engine } = scriptedModel(thinks);
    const events: object[] = [];
    const session = await model.session({
      history: turn(long(0)).concat(turn(long(1)), turn(long(2))),
      context: {
        size: 256,
        extend: "off",
        async overflow(event) {
          events.push({ ...event, messages: event.messages.length });
          return [{ role: "system", content: "Summary." }, ...event.messages.slice(-1)];
        },
      },
    });
    await session.prompt(long(3), { maxTokens: 20 }).result();
    expect(events).toEqual([{ messages: 7, needed: expect.any(Number), window: 256, signal: expect.any(AbortSignal) }]);
    expect(lastPrompt(engine)).toContain("Summary.");
    expect(session.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant"]);
  });

  test("a function may ask the same model for a summary, and is not waited for once the turn was aborted", async () => {
    const { model, engine } = scriptedModel(thinks);
    const history = turn(long(0)).concat(turn(long(1)), turn(long(2)));
    const context = { size: 256, extend: "off" } as const;
    const session = await model.session({
      history,
      context: {
        ...context,
        async overflow({ messages }) {
          const { text } = await model.chat([{ role: "user", content: "Sum up." }], { maxTokens: 20 }).result();
          return [{ role: "system", content: text }, ...messages.slice(-1)];
        },
      },
    });
    await session.prompt(long(3), { maxTokens: 20 }).result();
    expect(lastPrompt(engine)).toContain("<|system|>\nYes.");
    const hanging = await model.session({ history, context: { ...context, overflow: () => new Promise(() => {}) } });
    const reason = new Error("enough");
    const controller = new AbortController();
    const turned = reasonOf(hanging.prompt(long(3), { maxTokens: 20, signal: controller.signal }).result());
    setTimeout(() => controller.abort(reason), 20);
    expect(await turned).toBe(reason);
    expect((await model.chat([{ role: "user", content: "Hi" }]).result()).text).toBe("Yes.");
  });

  test("a function that throws fails the turn with its error; one that never shortens ends with context-full", async () => {
    const { model } = scriptedModel(thinks);
    const history = turn("word ".repeat(400));
    const own = new Error("mine");
    const throwing = await model.session({
      history,
      context: { size: 256, extend: "off", overflow: async () => Promise.reject(own) },
    });
    expect(await reasonOf(throwing.prompt("Hi").result())).toBe(own);
    const stubborn = await model.session({
      history,
      context: { size: 256, extend: "off", overflow: async ({ messages }) => messages },
    });
    expect(await reasonOf(stubborn.prompt("Hi").result())).toMatchObject({ code: "context-full" });
    expect(stubborn.messages).toEqual(history);
  });
});
