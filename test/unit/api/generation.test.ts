import { expect, test } from "vitest";
import { ModelGeneration } from "../../../src/api/generation.ts";
import type { Finish, Run as RunOf } from "../../../src/api/one-run.ts";
import type { Part, Result } from "../../../src/contract.ts";

type Run = RunOf<Exclude<Part, Finish<Result>>, Result>;

const result = (text: string, finishReason: Result["finishReason"] = "stop"): Result => ({
  text,
  reasoning: "",
  message: { role: "assistant", content: text },
  finishReason,
  reasoningEnd: "none",
  usage: { prompt: 3, cached: 1, text: 2, reasoning: 0 },
  timings: { loadMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, tokensPerSecond: 0 },
});

interface Log {
  started: number;
  released: number;
  made: number;
}

/** A run that makes `count` pieces and then finishes, or finishes as `abort` when it is left. */
function scripted(count: number, log: Log): Run {
  return async function* run(control) {
    log.started += 1;
    let text = "";
    try {
      for (let index = 0; index < count && !control.stopped.aborted; index++) {
        await Promise.resolve();
        log.made += 1;
        text += String(index);
        yield { type: index === 0 ? "reasoning" : "text", text: String(index) };
      }
      yield { type: "finish", result: result(text, control.stopped.aborted ? "abort" : "stop") };
    } finally {
      log.released += 1;
    }
  };
}

const newLog = (): Log => ({ started: 0, released: 0, made: 0 });

test("Generation starts only when first consumed", async () => {
  const log = newLog();
  const generation = new ModelGeneration(scripted(3, log));
  await Promise.resolve();
  expect(log.started).toBe(0);
  await generation.result();
  expect(log).toEqual({ started: 1, released: 1, made: 3 });
});

test("Generation gives parts and result of one run, in either order", async () => {
  for (const resultFirst of [true, false]) {
    const log = newLog();
    const generation = new ModelGeneration(scripted(4, log));
    const early = resultFirst ? generation.result() : undefined;
    if (resultFirst) await early;
    const parts: Part[] = [];
    for await (const part of generation) parts.push(part);
    expect(parts.map((part) => part.type)).toEqual(["reasoning", "text", "text", "text", "finish"]);
    expect((await generation.result()).text).toBe("0123");
    expect(log.started).toBe(1);
  }
});

test("Generation iterated while result() drains loses nothing", async () => {
  const generation = new ModelGeneration(scripted(50, newLog()));
  const whole = generation.result();
  let text = "";
  for await (const part of generation) if ("text" in part) text += part.text;
  expect(text).toBe((await whole).text);
});

test("Generation refuses a second iteration", async () => {
  const generation = new ModelGeneration(scripted(1, newLog()));
  for await (const _ of generation) break;
  expect(() => generation[Symbol.asyncIterator]()).toThrow(TypeError);
});

test("Generation makes nothing that nobody asks for", async () => {
  const log = newLog();
  const parts = new ModelGeneration(scripted(10, log))[Symbol.asyncIterator]();
  await parts.next();
  await new Promise((done) => setTimeout(done, 5));
  expect(log.made).toBe(1);
  await parts.return?.();
});

test("leaving by break ends the run before control returns, and result() says abort", async () => {
  const log = newLog();
  const generation = new ModelGeneration(scripted(10, log));
  for await (const part of generation) if (part.type === "text") break;
  expect(log.released).toBe(1);
  expect(log.made).toBeLessThan(10);
  expect((await generation.result()).finishReason).toBe("abort");
});

test("leaving by throw ends the run and keeps the error", async () => {
  const log = newLog();
  const generation = new ModelGeneration(scripted(10, log));
  const consume = async (): Promise<void> => {
    for await (const _ of generation) throw new Error("mine");
  };
  await expect(consume()).rejects.toThrow("mine");
  expect(log.released).toBe(1);
});

test("dispose of a generation that never ran runs nothing", async () => {
  const log = newLog();
  const generation = new ModelGeneration(scripted(10, log));
  await generation[Symbol.asyncDispose]();
  await expect(generation.result()).rejects.toThrow();
  expect(log.started).toBe(0);
});

test("an error of the run reaches the iterator and result() alike", async () => {
  const failing: Run = async function* run() {
    yield { type: "text", text: "a" };
    throw new RangeError("broken");
  };
  const generation = new ModelGeneration(failing);
  const read = async (): Promise<void> => {
    for await (const _ of generation) continue;
  };
  await expect(read()).rejects.toThrow("broken");
  await expect(generation.result()).rejects.toThrow("broken");
});

test("text and reasoning give only their own kind", async () => {
  let text = "";
  for await (const piece of new ModelGeneration(scripted(4, newLog())).text) text += piece;
  expect(text).toBe("123");
  let thoughts = "";
  for await (const piece of new ModelGeneration(scripted(4, newLog())).reasoning) thoughts += piece;
  expect(thoughts).toBe("0");
});

test("stream reads like the iterator, and cancelling it ends the run", async () => {
  const log = newLog();
  const reader = new ModelGeneration(scripted(10, log)).stream.getReader();
  expect((await reader.read()).value).toEqual({ type: "reasoning", text: "0" });
  await reader.cancel();
  expect(log.released).toBe(1);
});

test("toResponse() sends chat-completion chunks with thoughts apart", async () => {
  const response = new ModelGeneration(scripted(3, newLog())).toResponse({ headers: { "x-own": "1" } });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(response.headers.get("x-own")).toBe("1");
  const events = (await response.text())
    .split("\n\n")
    .filter(Boolean)
    .map((line) => line.replace(/^data: /, ""));
  expect(events.at(-1)).toBe("[DONE]");
  const deltas = events.slice(0, -1).map((event) => JSON.parse(event).choices[0]);
  expect(deltas[0].delta).toEqual({ role: "assistant" });
  expect(deltas[1].delta).toEqual({ reasoning_content: "0" });
  expect(deltas.at(-1).finish_reason).toBe("stop");
  expect(JSON.parse(events.at(-2) ?? "").usage.prompt_tokens_details.cached_tokens).toBe(1);
});

test("toResponse() tells an error in the stream and ends", async () => {
  const failing: Run = async function* run() {
    yield { type: "text", text: "a" };
    throw new Error("broken");
  };
  const body = await new ModelGeneration(failing).toResponse().text();
  expect(body).toContain('"message":"broken"');
});
