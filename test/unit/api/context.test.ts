import { describe, expect, test } from "vitest";
import { fitMemory } from "../../../src/api/memory-fit.ts";
import { estimateMemory } from "../../../src/gguf/estimate.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import type { Message } from "../../../src/index.ts";
import { openLocalFile } from "../../../src/platform/files.ts";
import { nanoPath } from "../engine/nano.ts";
import type { ScriptedModelOptions } from "./scripted-model.ts";
import { scriptedModel } from "./scripted-model.ts";

const user = (tokens: number): readonly Message[] => [{ role: "user", content: "word ".repeat(tokens) }];
const says = (): string => "hm\n</think>\nYes.";
const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
/** Asks one question after the other; returns the contexts that the engine was given, the first included. */
async function contexts(
  options: ScriptedModelOptions,
  asks: readonly (readonly [number, number?])[],
): Promise<object[]> {
  const { model, engine } = scriptedModel(says, options);
  for (const [tokens, maxTokens] of asks) {
    await model.chat(user(tokens), maxTokens === undefined ? {} : { maxTokens }).result();
  }
  return engine.contexts;
}
const yarn = (factor: number): object => ({ type: "yarn", factor, originalContext: 512 });

describe("the context of a model", () => {
  test("is never rebuilt while requests fit", async () => {
    expect(await contexts({}, [[10], [100, 50], [300]])).toEqual([{ size: 512, kvType: "f16" }]);
  });

  test("gets YaRN with the smallest sufficient factor when a request needs it, and is plain again after", async () => {
    expect(await contexts({}, [[10], [600, 100], [10]])).toEqual([
      { size: 512, kvType: "f16" },
      { size: 768, kvType: "f16", rope: yarn(1.5) },
      { size: 512, kvType: "f16" },
    ]);
  });

  test("changes its factor when a longer request needs a larger one", async () => {
    const all = await contexts({}, [
      [600, 100],
      [1200, 100],
    ]);
    expect(all.slice(1)).toMatchObject([{ rope: yarn(1.5) }, { rope: yarn(3) }]);
  });

  test('is never extended with "off", and follows the card\'s snippet to the letter', async () => {
    const { model } = scriptedModel(says, { window: { extend: "off" } });
    expect(await reasonOf(model.chat(user(600)).result())).toMatchObject({
      code: "context-full",
      details: { window: 512 },
    });
    const extend = { type: "yarn", factor: 4, original_max_position_embeddings: 512 } as const;
    expect((await contexts({ window: { extend } }, [[10], [150]])).slice(1)).toMatchObject([{ rope: yarn(4) }]);
  });

  test("past the trained length is taken at its word where the size is a number and nothing extends it", async () => {
    const { model, engine } = scriptedModel(says, {
      window: { size: 2048, extend: "off" },
      context: { size: 2048, kvType: "f16" },
    });
    await model.chat(user(1500), { maxTokens: 20 }).result();
    expect(engine.contexts.at(-1)).toEqual({ size: 2048, kvType: "f16" });
    expect(await reasonOf(model.chat(user(2100)).result())).toMatchObject({ code: "context-full" });
  });

  test("is refused to a request past four times the trained length, or past the memory", async () => {
    const { model } = scriptedModel(says);
    expect(await reasonOf(model.chat(user(2100)).result())).toMatchObject({ details: { window: 2048 } });
    const { model: small } = scriptedModel(says, { largest: 700 });
    expect(await reasonOf(small.chat(user(800)).result())).toMatchObject({ details: { window: 700 } });
    await small.chat(user(600)).result();
  });

  test("grows with the requests of a large model, with room for a usual reply", async () => {
    const large = { contextTrained: 32_768, context: { size: 8192, kvType: "f16" } } as const;
    const { model, engine } = scriptedModel(says, large);
    // What the model was loaded with holds the first request, so that nothing is built twice.
    engine.contexts.length = 0;
    await model.chat(user(20)).result();
    expect(engine.contexts.length).toBeLessThanOrEqual(1);
  });

  test("is shared by sessions with smaller windows of their own, whose replies end there", async () => {
    const { model, engine } = scriptedModel(() => "word ".repeat(2000));
    const session = await model.session({ context: { size: 256, extend: "off" } });
    const { usage, finishReason } = await session.prompt("Hi").result();
    expect([finishReason, usage.prompt + usage.reasoning]).toEqual(["length", 256]);
    await model.chat(user(300), { maxTokens: 100 }).result();
    expect(engine.contexts).toHaveLength(1);
    expect(session.contextWindow).toBe(256);
  });

  test("caps a reply that was not asked for by number to what is left", async () => {
    const { model } = scriptedModel(() => "word ".repeat(2000));
    const { finishReason, usage } = await model.chat(user(100)).result();
    expect(finishReason).toBe("length");
    expect(usage.prompt + usage.reasoning + usage.text).toBeLessThanOrEqual(512);
  });
});

describe("fitMemory()", async () => {
  const file = await openLocalFile(nanoPath);
  const header = await readModelHeader([file]);
  await file.close();
  const bytesFor = (contextSize: number): number => estimateMemory(header, { contextSize }).total;
  const request = { trained: 32_768, wanted: undefined, reply: undefined, kvType: "f16" } as const;

  test("starts with room for a usual prompt and reply, or the one that the maker recommends", () => {
    const limit = bytesFor(200_000);
    expect(fitMemory(header, limit, request).initial.size).toBe(8192);
    expect(fitMemory(header, limit, { ...request, reply: 20_000 }).initial.size).toBe(24_096);
    expect(fitMemory(header, limit, { ...request, reply: 30_000 }).initial.size).toBe(32_768);
    expect(fitMemory(header, limit, { ...request, trained: 512 }).initial.size).toBe(512);
    expect(fitMemory(header, limit, { ...request, wanted: 1000 }).initial.size).toBe(1000);
  });

  test("finds the largest context that fits, and no larger one does", () => {
    const { largest, initial } = fitMemory(header, bytesFor(5000), request);
    expect(bytesFor(largest)).toBeLessThanOrEqual(bytesFor(5000));
    expect(bytesFor(largest + 1)).toBeGreaterThan(bytesFor(5000));
    expect(initial.size).toBe(largest);
    expect(fitMemory(header, bytesFor(200_000), request).largest).toBe(4 * 32_768);
  });

  test("refuses what can't fit, with the bytes that it needs and those that there are", () => {
    const refused = (wanted: number | undefined, limit: number): unknown => {
      try {
        return fitMemory(header, limit, { ...request, wanted });
      } catch (error) {
        return error;
      }
    };
    expect(refused(undefined, 1000)).toMatchObject({ code: "memory", details: { limit: 1000 } });
    expect(refused(9000, bytesFor(8000))).toMatchObject({
      code: "memory",
      details: { needed: bytesFor(9000), limit: bytesFor(8000) },
    });
  });
});
