// What every engine must do, whatever runs behind it. A test file calls contract() with a way to make one.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import type { CompleteOptions, ContextConfig, Engine, EngineEvent } from "../../../src/engine/engine.ts";
import type { PromptSegment } from "../../../src/prompt/segment.ts";

export interface ContractSubject {
  readonly name: string;
  readonly create: () => Promise<Engine>;
  /** The context the engine was made with. */
  readonly context: ContextConfig;
  /** A prompt whose greedy reply has at least 12 tokens and ends by itself within the context. */
  readonly prompt: readonly PromptSegment[];
  /** The id and the text of a control token that the prompt's vocabulary has. */
  readonly controlToken: { readonly text: string; readonly id: number };
}

const greedy: CompleteOptions = {
  maxTokens: 200,
  sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1 },
  stop: [],
};

interface Run {
  readonly events: EngineEvent[];
  readonly text: string;
  readonly tokens: number;
  readonly end: Extract<EngineEvent, { type: "end" }>;
}

export async function run(
  engine: Engine,
  prompt: readonly PromptSegment[],
  options: Partial<CompleteOptions> = {},
): Promise<Run> {
  const events: EngineEvent[] = [];
  for await (const event of engine.complete(prompt, { ...greedy, ...options })) events.push(event);
  const pieces = events.filter((event) => event.type === "piece");
  const end = events.at(-1);
  if (end?.type !== "end") throw new Error("the last event is not the end");
  return {
    events,
    text: pieces.map((piece) => piece.text).join(""),
    tokens: pieces.reduce((sum, piece) => sum + piece.tokens, 0),
    end,
  };
}

async function drain(events: AsyncIterator<EngineEvent>): Promise<void> {
  while (!(await events.next()).done) continue;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it was expected to reject"),
    (error: unknown) => error,
  );
}

async function code(promise: Promise<unknown>): Promise<string> {
  const error = await failure(promise);
  if (!InferenceError.is(error)) throw error;
  return error.code;
}

const plain = (text: string): PromptSegment => ({ kind: "content", text });

/** Registers the contract's tests for one engine. */
export function contract(subject: ContractSubject): void {
  describe(`engine contract: ${subject.name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await subject.create();
    });
    afterAll(async () => {
      await engine.close();
    });

    test("info names the engine and at least one thread", () => {
      expect(engine.info.engine).not.toBe("");
      expect(engine.info.threads).toBeGreaterThanOrEqual(1);
    });

    test("complete() reports prefill, then pieces, then exactly one end", async () => {
      const { events, end, tokens, text } = await run(engine, subject.prompt);
      const kinds = events.map((event) => event.type);
      expect(kinds.indexOf("prefill")).toBe(0);
      expect(kinds.lastIndexOf("prefill")).toBeLessThan(kinds.indexOf("piece"));
      expect(kinds.filter((kind) => kind === "end")).toHaveLength(1);
      expect(end.reason).toBe("stop");
      expect(end.usage.completion).toBe(tokens);
      expect(tokens).toBeGreaterThanOrEqual(12);
      expect(text).not.toBe("");
    });

    test("complete() ends its prefill reports with the whole prompt", async () => {
      const { events, end } = await run(engine, [...subject.prompt, plain(" 1")], { maxTokens: 1 });
      const reports = events.filter((event) => event.type === "prefill");
      expect(reports.at(-1)).toMatchObject({ done: end.usage.prompt, total: end.usage.prompt });
      for (const report of reports) expect(report.done).toBeGreaterThanOrEqual(report.cached);
    });

    test("complete() says the same twice when greedy, the second time from the cache", async () => {
      const first = await run(engine, subject.prompt);
      const second = await run(engine, subject.prompt);
      expect(second.text).toBe(first.text);
      expect(second.end.usage.prompt).toBe(first.end.usage.prompt);
      expect(second.end.usage.cached).toBe(second.end.usage.prompt - 1);
    });

    test("complete() stops at maxTokens and says length", async () => {
      const { end, tokens } = await run(engine, subject.prompt, { maxTokens: 5 });
      expect(end.reason).toBe("length");
      expect(end.usage.completion).toBe(5);
      expect(tokens).toBe(5);
    });

    test("complete() of zero tokens only prefills and counts", async () => {
      const longer = [...subject.prompt, plain(" two words")];
      const warm = await run(engine, longer, { maxTokens: 0 });
      expect(warm.events.some((event) => event.type === "piece")).toBe(false);
      expect(warm.end).toMatchObject({ reason: "length", usage: { completion: 0 } });
      const next = await run(engine, longer, { maxTokens: 1 });
      expect(next.end.usage.prompt).toBe(warm.end.usage.prompt);
      expect(next.end.usage.cached).toBe(warm.end.usage.prompt - 1);
    });

    test("complete() evaluates only what follows the common prefix", async () => {
      const base = await run(engine, subject.prompt, { maxTokens: 0 });
      const longer = await run(engine, [...subject.prompt, plain("\nand more of it")], {
        maxTokens: 0,
      });
      expect(longer.end.usage.prompt).toBeGreaterThan(base.end.usage.prompt);
      expect(longer.end.usage.cached).toBeGreaterThanOrEqual(base.end.usage.prompt - 1);
    });

    test("complete() ends before a stop text, and never lets a part of it out", async () => {
      const whole = (await run(engine, subject.prompt)).text;
      const at = Math.floor(whole.length / 2);
      const stop = whole.slice(at, at + 5);
      const stopped = await run(engine, subject.prompt, { stop: [stop, "\u0000never\u0000"] });
      expect(stopped.end.reason).toBe("stop");
      expect(stopped.text).toBe(whole.slice(0, whole.indexOf(stop)));
      expect(stopped.end.usage.completion).toBe(stopped.tokens);
    });

    test("complete() takes token ids as they are", async () => {
      const { text, id } = subject.controlToken;
      const asText = await run(engine, [{ kind: "control", text }, plain("abc")], { maxTokens: 0 });
      const asIds = await run(engine, [{ kind: "tokens", ids: Uint32Array.of(id) }, plain("abc")], {
        maxTokens: 0,
      });
      expect(asIds.end.usage.prompt).toBe(asText.end.usage.prompt);
      expect(asIds.end.usage.cached).toBe(asText.end.usage.prompt - 1);
    });

    test("complete() never takes content for a control token", async () => {
      const { text } = subject.controlToken;
      const control = await run(engine, [...subject.prompt, { kind: "control", text }], {
        maxTokens: 0,
      });
      const content = await run(engine, [...subject.prompt, plain(text)], { maxTokens: 0 });
      expect(content.end.usage.prompt).toBeGreaterThan(control.end.usage.prompt);
    });

    test("complete() under an aborted signal runs nothing and throws its reason", async () => {
      const reason = new Error("changed my mind");
      expect(await failure(run(engine, subject.prompt, { signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect((await run(engine, subject.prompt, { maxTokens: 2 })).tokens).toBe(2);
    });

    test("complete() stops on abort, throws its reason untouched, and stays usable", async () => {
      const whole = (await run(engine, subject.prompt)).text;
      const controller = new AbortController();
      const reason = { not: "even an error" };
      let pieces = 0;
      const aborted = (async () => {
        for await (const event of engine.complete(subject.prompt, {
          ...greedy,
          signal: controller.signal,
        })) {
          if (event.type === "piece" && ++pieces === 2) controller.abort(reason);
        }
      })();
      expect(await failure(aborted)).toBe(reason);
      expect((await run(engine, subject.prompt)).text).toBe(whole);
    });

    test("complete() stops on break, before control returns", async () => {
      for await (const event of engine.complete(subject.prompt, greedy)) if (event.type === "piece") break;
      expect((await run(engine, subject.prompt, { maxTokens: 3 })).tokens).toBe(3);
    });

    test("complete() stops on break during prefill", async () => {
      for await (const event of engine.complete([...subject.prompt, plain(" z".repeat(60))], greedy)) {
        expect(event.type).toBe("prefill");
        break;
      }
      expect((await run(engine, subject.prompt, { maxTokens: 3 })).tokens).toBe(3);
    });

    test("complete() refuses to run beside another, which it leaves alone", async () => {
      const whole = (await run(engine, subject.prompt)).text;
      let text = "";
      let second: string | undefined;
      for await (const event of engine.complete(subject.prompt, greedy)) {
        if (event.type === "piece") text += event.text;
        second ??= await code(run(engine, subject.prompt));
      }
      expect(second).toBe("busy");
      expect(text).toBe(whole);
    });

    test("complete() says how many tokens a too long prompt has and the context holds", async () => {
      const window = subject.context.size;
      const error = await failure(run(engine, [plain("7 ".repeat(window))]));
      expect(InferenceError.is(error, "context-full")).toBe(true);
      const details = (error as InferenceError).details; // just proven by is()
      expect(details?.["window"]).toBe(window);
      expect(details?.["needed"]).toBeGreaterThanOrEqual(window);
      expect((await run(engine, subject.prompt, { maxTokens: 3 })).tokens).toBe(3);
    });

    test("complete() ends with length where the context ends", async () => {
      const window = subject.context.size;
      const need = (await run(engine, subject.prompt, { maxTokens: 0 })).end.usage.prompt;
      const unit = " 3";
      const filled: PromptSegment[] = [plain(unit.repeat(Math.floor((window - need - 6) / 2))), ...subject.prompt];
      const { end, tokens } = await run(engine, filled, { maxTokens: 10_000 });
      expect(end.reason).toBe("length");
      expect(end.usage.completion).toBe(tokens);
      expect(end.usage.prompt + end.usage.completion).toBeLessThanOrEqual(window + 1);
      expect(end.usage.prompt + end.usage.completion).toBeGreaterThanOrEqual(window - 1);
    });

    test("complete() rejects with unsupported what the engine does not declare", async () => {
      const asked: [boolean, Partial<CompleteOptions>][] = [
        [engine.capabilities.logprobs, { logprobs: 1 }],
        [engine.capabilities.logitBias, { logitBias: new Map([[5, 1]]) }],
        [engine.capabilities.grammar, { format: { type: "gbnf", grammar: 'root ::= "a"' } }],
        [engine.capabilities.jsonSchema, { format: { type: "json", schema: { type: "object" } } }],
      ];
      for (const [declared, options] of asked) {
        if (!declared) expect(await code(run(engine, subject.prompt, options))).toBe("unsupported");
      }
      expect(engine.tokenize !== undefined).toBe(engine.capabilities.tokenize);
    });

    test("configure() keeps the cache for the same context and drops it for another", async () => {
      await run(engine, subject.prompt, { maxTokens: 0 });
      await engine.configure({ ...subject.context });
      expect((await run(engine, subject.prompt, { maxTokens: 0 })).end.usage.cached).toBeGreaterThan(0);
      const wider = { ...subject.context, size: subject.context.size + 256 };
      await engine.configure(wider);
      const fresh = await run(engine, subject.prompt, { maxTokens: 2 });
      expect(fresh.end.usage.cached).toBe(0);
      expect((await run(engine, [plain(" 3".repeat(subject.context.size / 2))], { maxTokens: 1 })).tokens).toBe(1);
      await engine.configure(subject.context);
    });

    test("configure() under an aborted signal changes nothing and throws its reason", async () => {
      const reason = new Error("no");
      await run(engine, subject.prompt, { maxTokens: 0 });
      const wider = { ...subject.context, size: subject.context.size + 64 };
      expect(await failure(engine.configure(wider, { signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect((await run(engine, subject.prompt, { maxTokens: 0 })).end.usage.cached).toBeGreaterThan(0);
    });

    test("close() rejects what is pending and everything later with closed, and may be called twice", async () => {
      const other = await subject.create();
      const begun = other.complete(subject.prompt, greedy)[Symbol.asyncIterator]();
      // It is under way now, and not yet done, however fast the engine is.
      await begun.next();
      const pending = code(drain(begun));
      await other.close();
      await other.close();
      expect(await pending).toBe("closed");
      expect(await code(run(other, subject.prompt))).toBe("closed");
      expect(await code(other.configure(subject.context))).toBe("closed");
    });
  });
}
