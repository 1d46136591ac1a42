import { describe, expect, test } from "vitest";
import {
  InferenceError,
  type Library,
  type Model,
  type RuminateOptions,
  ruminate,
  type RuminationPart,
  type SearchHit,
  type Tool,
} from "../../../src/index.ts";
import type { FakeScript } from "../../fake-engine.ts";
import { lastPrompt, scriptedModel } from "../api/scripted-model.ts";
import { fixture } from "../prompt/fixtures.ts";

const parameters = { type: "object", properties: { query: { type: "string" } }, required: ["query"] };
const facts: Record<string, string> = { boat: "owner Ned", Ned: "friend Dora" };
const search: Tool<{ query: string }> = { name: "search", parameters, execute: ({ query }) => facts[query] ?? "none" };
const tools = [search];

/** Says the next text in each turn, the last one ever after. */
function turns(...texts: string[]): FakeScript {
  let turn = 0;
  return (_, { options }) => (options.maxTokens === 0 ? "" : (texts[Math.min(turn++, texts.length - 1)] ?? ""));
}
const call = (query: unknown): string => `look\n</think>\nsearch\n${JSON.stringify({ query })}`;
const answer = "seen\n</think>\nDora.";

const pages: Record<string, string> = { "a.example": "Ned owns the boat.", "b.example": "Dora is a friend of Ned." };
const web: Library = {
  search: (query) =>
    query === "nothing"
      ? []
      : [
          { title: "Boats\nof the bay", url: "a.example", snippet: "Who owns what" },
          { title: "Friends", url: "b.example" },
        ],
  open(url) {
    const text = pages[url];
    if (text === undefined) throw new Error("404");
    return { text, ...(url === "b.example" ? { title: "Friends of Ned" } : {}) };
  },
};
/** As GLM-Z1-Rumination writes calls. */
const jsonCall = (name: string, given: object): string =>
  `<think>\n${name}?\n</think>\n${JSON.stringify({ name, arguments: given }).replaceAll(/([:,])(?=["{\d])/g, "$1 ")}`;
const report = "<think>\nwrite\n</think>\n# Report\nDora.";
const ruminating = (...texts: string[]): ReturnType<typeof scriptedModel> =>
  scriptedModel(turns(...texts), { template: fixture("glm-z1-rumination"), contextTrained: 4096 });

async function partsOf(parts: AsyncIterable<RuminationPart>): Promise<RuminationPart[]> {
  const all: RuminationPart[] = [];
  for await (const part of parts) if (part.type !== "prefill") all.push(part);
  return all;
}
/** The names of parts, with repetitions left out. */
const course = (parts: readonly RuminationPart[]): string =>
  parts
    .map((part) => (part.type === "step" ? `${part.final ? "last " : ""}step ${part.step}` : part.type))
    .filter((name, index, names) => name !== names[index - 1])
    .join(", ");

describe("ruminate() with own tools", () => {
  test("looks things up until the model answers, and streams every step", async () => {
    const { model, engine } = scriptedModel(turns(call("boat"), call("Ned"), answer));
    const run = ruminate(model, "Who?", { tools });
    const parts = await partsOf(run);
    expect(course(parts)).toBe(
      "step 1, reasoning, tool-call, tool-result, step 2, reasoning, tool-call, tool-result, step 3, reasoning, text, finish",
    );
    const result = await run.result();
    expect(result).toMatchObject({
      report: "Dora.",
      ended: "model",
      finishReason: "stop",
      reasoning: "look\n\nlook",
      sources: [
        { step: 1, tool: "search", arguments: { query: "boat" } },
        { step: 2, tool: "search", arguments: { query: "Ned" } },
      ],
      steps: [
        { reasoning: "look", calls: [{ call: { name: "search" }, result: "owner Ned" }] },
        { reasoning: "look", calls: [{ call: { name: "search" }, result: "friend Dora" }] },
      ],
    });
    expect(result.messages.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "assistant",
      "tool",
      "assistant",
    ]);
    expect(lastPrompt(engine)).toContain('search\n{"query": "Ned"}<|observation|>\nfriend Dora<|assistant|>');
  });

  test("sums up what all turns spent", async () => {
    const { model } = scriptedModel(turns(call("boat"), answer));
    const { usage } = await ruminate(model, "Who?", { tools }).result();
    const whole = await scriptedModel(turns(call("boat"), answer))
      .model.chat([{ role: "user", content: "Who?" }], { tools })
      .result();
    expect(usage).toEqual(whole.usage);
  });

  test("takes addresses and titles from pages that tools give, and no sources from what failed", async () => {
    const given: Record<string, unknown> = { boat: { title: "Boats", url: "a.example", text: "owner Ned" } };
    const tool: Tool<{ query: string }> = {
      ...search,
      execute({ query }) {
        if (!(query in given)) throw new Error("no such page");
        return given[query];
      },
    };
    const { model } = scriptedModel(turns(call("boat"), call("boat"), call("car"), answer));
    const { sources, steps } = await ruminate(model, "Who?", { tools: [tool] }).result();
    expect(sources).toEqual([
      { step: 1, tool: "search", arguments: { query: "boat" }, title: "Boats", url: "a.example" },
    ]);
    expect(steps[0]?.calls[0]?.result).toBe("owner Ned");
    expect(steps[2]?.calls[0]?.result).toEqual({ error: "search failed: no such page" });
  });

  test("tells the model of a call that could not be read, which is a step, too", async () => {
    const { model } = scriptedModel(turns("look\n</think>\nsearch\n{broken", answer));
    const run = ruminate(model, "Who?", { tools });
    const parts = await partsOf(run);
    expect(parts).toContainEqual({
      type: "tool-result",
      id: expect.any(String) as string,
      result: { error: expect.stringContaining("could not be read") as string },
    });
    expect(await run.result()).toMatchObject({ report: "Dora.", steps: [{ calls: [] }] });
  });

  test("has the report written when the steps are spent", async () => {
    const { model, engine } = scriptedModel(turns(call("boat"), answer));
    const run = ruminate(model, "Who?", { tools, budget: { steps: 1 }, conclusion: "Now!" });
    expect(course(await partsOf(run))).toBe(
      "step 1, reasoning, tool-call, tool-result, last step 2, reasoning, text, finish",
    );
    expect(await run.result()).toMatchObject({ report: "Dora.", ended: "steps", steps: [{}] });
    expect(lastPrompt(engine)).toContain("owner Ned<|user|>\nNow!<|assistant|>");
    expect(lastPrompt(engine)).toContain("## search");
  });

  test("tells a model that calls on and on of no tools, and then takes what it says", async () => {
    const { model, engine } = scriptedModel(turns(call("boat")));
    const {
      report: text,
      finishReason,
      ended,
    } = await ruminate(model, "Who?", { tools, budget: { steps: 2 } }).result();
    expect(lastPrompt(engine)).not.toContain("## search");
    expect({ text, finishReason, ended }).toEqual({
      text: 'search\n{"query":"boat"}',
      finishReason: "stop",
      ended: "steps",
    });
  });

  test("closes the thought that spends the tokens, and lets the call that follows be", async () => {
    const endless = (prompt: string): string =>
      prompt.includes("</think>") ? '\nsearch\n{"query":"boat"}' : "hm ".repeat(100);
    let spent = false;
    const { model } = scriptedModel((prompt, { options }) => {
      if (options.maxTokens === 0) return "";
      if (spent) return answer;
      spent = prompt.includes("</think>");
      return endless(prompt);
    });
    const {
      ended,
      report: text,
      reasoning,
      steps,
    } = await ruminate(model, "Who?", {
      tools,
      budget: { tokens: 20 },
    }).result();
    expect({ ended, text, calls: steps[0]?.calls.length }).toEqual({ ended: "tokens", text: "Dora.", calls: 1 });
    expect(reasoning.split("hm").length).toBeLessThan(24);
  });

  test("takes a reply that was cut for what it is: a thought leads to the report, an answer is one", async () => {
    const cut = scriptedModel(turns("hm ".repeat(50), answer));
    const run = ruminate(cut.model, "Who?", { tools, maxTokens: 10 });
    expect(await run.result()).toMatchObject({ ended: "tokens", report: "Dora.", steps: [{ calls: [] }] });
    const long = scriptedModel(turns(`x\n</think>\n${"word ".repeat(50)}`));
    expect(await ruminate(long.model, "Who?", { tools, maxTokens: 10 }).result()).toMatchObject({
      ended: "model",
      finishReason: "length",
      report: expect.stringContaining("word") as string,
    });
  });

  test("leaves out the oldest results where the context is full", async () => {
    const big: Tool = { ...search, execute: () => "word ".repeat(220) };
    const { model, engine } = scriptedModel(turns(call("boat"), call("Ned"), call("bay"), answer), {
      largest: 512,
      window: { extend: "off" },
    });
    const { report: text, messages } = await ruminate(model, "Who?", { tools: [big] }).result();
    expect(text).toBe("Dora.");
    const told = messages.filter(({ role }) => role === "tool").map(({ content }) => content.slice(0, 15));
    expect(told).toEqual(["(no longer show", "(no longer show", "word word word "]);
    expect(lastPrompt(engine).split("no longer shown")).toHaveLength(3);
  });

  test.each([100, 110, 120, 130, 140, 150, 160, 170, 180, 190])(
    "begins a turn again that a context full of %s words a result leaves no room for",
    async (words) => {
      const big: Tool = { ...search, execute: () => "word ".repeat(words) };
      const long = `seen\n</think>\n${"Dora and Ned ".repeat(20)}`;
      const { model } = scriptedModel(turns(call("boat"), call("Ned"), long, long, long), {
        largest: 512,
        window: { extend: "off" },
      });
      const run = ruminate(model, "Who?", { tools: [big] });
      const parts = await partsOf(run);
      const { report: text, finishReason, ended } = await run.result();
      expect({ length: text.length, finishReason, ended }).toEqual({
        length: 260,
        finishReason: "stop",
        ended: "model",
      });
      const last = parts.findLastIndex(({ type }) => type === "step");
      const shown = parts.slice(last).flatMap((part) => (part.type === "text" ? [part.text] : []));
      expect(shown.join("")).toBe(text);
    },
  );

  test("throws where there is nothing to leave out", async () => {
    const huge: Tool = { ...search, execute: () => "word ".repeat(1000) };
    const none = scriptedModel(turns(call("boat"), answer), { largest: 512, window: { extend: "off" } });
    await expect(ruminate(none.model, "word ".repeat(600), { tools: [huge] }).result()).rejects.toMatchObject({
      code: "context-full",
    });
  });
});

describe("ruminate() with GLM-Z1-Rumination", () => {
  test("searches, clicks, opens, finishes and reports, in the prompt format of the model's card", async () => {
    const { model, engine } = ruminating(
      jsonCall("search", { query: "boat" }),
      jsonCall("click", { link_id: 0 }),
      jsonCall("open", { url: "b.example" }),
      jsonCall("finish", {}),
      report,
    );
    const run = ruminate(model, "Who?", { library: web });
    expect(course(await partsOf(run))).toBe(
      [1, 2, 3].map((step) => `step ${step}, reasoning, tool-call, tool-result, `).join("") +
        "step 4, reasoning, tool-call, last step 5, reasoning, text, finish",
    );
    expect(await run.result()).toMatchObject({
      report: "# Report\nDora.",
      ended: "model",
      sources: [
        { step: 2, tool: "click", arguments: { link_id: 0 }, url: "a.example", title: "Boats\nof the bay" },
        { step: 3, tool: "open", arguments: { url: "b.example" }, url: "b.example", title: "Friends of Ned" },
      ],
    });
    const prompt = lastPrompt(engine);
    expect(prompt.slice(prompt.indexOf("<|user|>"))).toBe(
      '<|user|>\nWho?<|assistant|>\n{"name": "search", "arguments": {"query": "boat"}}' +
        "<|observation|>\n【0†Boats of the bay†a.example\nWho owns what】\n\n【1†Friends†b.example\n】" +
        '<|assistant|>\n{"name": "click", "arguments": {"link_id": 0}}<|observation|>\nNed owns the boat.' +
        '<|assistant|>\n{"name": "open", "arguments": {"url": "b.example"}}<|observation|>\nDora is a friend of Ned.' +
        '<|assistant|>\n{"name": "finish", "arguments": {}}<|assistant|>',
    );
  });

  test("tells the model what it can't click, open or call, and what was not found", async () => {
    const { model } = ruminating(
      jsonCall("click", { link_id: 0 }),
      jsonCall("search", { query: "boat" }),
      jsonCall("click", { link_id: 2 }),
      jsonCall("click", { link_id: "one" }),
      jsonCall("open", { url: "c.example" }),
      jsonCall("search", { query: "nothing" }),
      jsonCall("rm", { path: "/" }),
      jsonCall("finish", {}),
      report,
    );
    const { steps, sources } = await ruminate(model, "Who?", { library: web }).result();
    const told = steps.map(({ calls }) => JSON.stringify(calls[0]?.result));
    expect(told[0]).toContain("there is no link 0; search first");
    expect(told[2]).toContain("there is no link 2; the last search gave links 0 to 1");
    expect(told[3]).toContain("link_id must be of type integer");
    expect(told[4]).toContain("open failed: 404");
    expect(told[5]).toBe('"No results."');
    expect(steps[6]).toMatchObject({ calls: [] });
    expect(sources).toEqual([]);
  });

  test("lets click take the numbers of the last search, whichever of two ends first", async () => {
    const { promise: slow, resolve: release } = Promise.withResolvers<readonly SearchHit[]>();
    const two = `${jsonCall("search", { query: "slow" })}\n{"name": "search", "arguments": {"query": "fast"}}`;
    const { model } = ruminating(two, jsonCall("click", { link_id: 0 }), jsonCall("finish", {}), report);
    const racing: Library = {
      search: (query) => (query === "slow" ? slow : [{ title: "B", url: "b.example" }]),
      open: (url) => pages[url] ?? "",
    };
    const run = ruminate(model, "Who?", { library: racing });
    let results = 0;
    for await (const part of run) {
      if (part.type === "tool-result" && ++results === 1) release([{ title: "A", url: "a.example" }]);
    }
    expect((await run.result()).sources.map(({ url }) => url)).toEqual(["b.example"]);
  });

  test("ends at finish, whatever else is called beside it", async () => {
    const both = `${jsonCall("search", { query: "boat" })}\n{"name": "finish", "arguments": {}}`;
    const { model, engine } = ruminating(both, report);
    const { ended, steps } = await ruminate(model, "Who?", { library: web }).result();
    expect({ ended, calls: steps[0]?.calls.map(({ call: { name } }) => name) }).toEqual({
      ended: "model",
      calls: ["finish"],
    });
    expect(lastPrompt(engine)).toMatch(/Who\?<\|assistant\|>\n\{"name": "finish", "arguments": \{\}\}<\|assistant\|>$/);
  });

  test("leaves no call open in the history when the model goes on calling in its report", async () => {
    const { model } = ruminating(jsonCall("finish", {}), jsonCall("search", { query: "boat" }));
    const { report: text, finishReason, messages } = await ruminate(model, "Who?", { library: web }).result();
    expect({ text, finishReason }).toEqual({ text: "", finishReason: "tool-calls" });
    expect(messages.at(-1)).not.toHaveProperty("toolCalls");
  });

  test("finishes for the model when the steps are spent", async () => {
    const { model, engine } = ruminating(jsonCall("search", { query: "boat" }), report);
    const { ended, report: text } = await ruminate(model, "Who?", { library: web, budget: { steps: 1 } }).result();
    expect({ ended, text }).toEqual({ ended: "steps", text: "# Report\nDora." });
    expect(lastPrompt(engine)).toMatch(/】<\|assistant\|>\n\{"name": "finish", "arguments": \{\}\}<\|assistant\|>$/);
  });

  test("shows no more of a page than asked", async () => {
    const { model, engine } = ruminating(jsonCall("open", { url: "a.example" }), jsonCall("finish", {}), report);
    const long: Library = { ...web, open: () => "😀".repeat(10) };
    await ruminate(model, "Who?", { library: long, pageLength: 5 }).result();
    expect(lastPrompt(engine)).toContain("<|observation|>\n😀😀\n[16 more characters are not shown]<|assistant|>");
  });

  test("tells the model, and no one else, of a library that gives the wrong things", async () => {
    const { model } = ruminating(
      jsonCall("search", { query: "a" }),
      jsonCall("open", { url: "a" }),
      jsonCall("finish", {}),
      report,
    );
    // Wrong types are the point.
    const wrong = { search: () => [{ title: 1 }], open: () => 7 } as unknown as Library;
    const { steps, report: text } = await ruminate(model, "Who?", { library: wrong }).result();
    expect(JSON.stringify(steps)).toContain("library.search() must give an array of { title, url }");
    expect(JSON.stringify(steps)).toContain("library.open() must give a string");
    expect(text).toContain("Dora");
  });
});

test("ruminate() serves a library to other models as well", async () => {
  const { model, engine } = scriptedModel(
    turns('look\n</think>\nsearch\n{"query": "boat"}', 'go\n</think>\nclick\n{"link_id": 1}', answer),
    { contextTrained: 4096 },
  );
  const { report: text, sources } = await ruminate(model, "Who?", { library: web }).result();
  expect({ text, urls: sources.map(({ url }) => url) }).toEqual({ text: "Dora.", urls: ["b.example"] });
  expect(lastPrompt(engine)).toMatch(/## search[^]*## click[^]*## open/);
  expect(lastPrompt(engine)).not.toContain("## finish");
});

describe("a run of ruminate()", () => {
  const hanging: Library = { ...web, search: () => new Promise(() => undefined) };
  const searching = (): Model => ruminating(jsonCall("search", { query: "boat" }), report).model;

  test("conclude() ends the thought at hand and has the report written", async () => {
    let runs = 0;
    const counted: Tool = { ...search, execute: () => ++runs };
    const { model } = scriptedModel(turns("hm ".repeat(200), '\nsearch\n{"query": "boat"}', "\nDora."));
    const run = ruminate(model, "Who?", { tools: [counted] });
    let final = false;
    let late = 0;
    for await (const part of run) {
      if (part.type === "step") final = part.final;
      if (part.type !== "reasoning") continue;
      if (final) late++;
      run.conclude();
    }
    const { ended, report: text, steps, reasoning } = await run.result();
    expect({ ended, text, steps: steps.length, runs, late }).toEqual({
      ended: "user",
      text: "Dora.",
      steps: 1,
      runs: 0,
      late: 0,
    });
    expect(reasoning.length).toBeLessThan(100);
  });

  test("conclude() waits for no tool, and tells the model so", async () => {
    const { model } = ruminating(jsonCall("search", { query: "boat" }), "# Report");
    const run = ruminate(model, "Who?", { library: hanging });
    for await (const part of run) if (part.type === "tool-call") run.conclude();
    const { ended, report: text, steps } = await run.result();
    expect({ ended, text }).toEqual({ ended: "user", text: "# Report" });
    expect(steps[0]?.calls[0]?.result).toEqual({ error: "It was not waited for: the answer is wanted now." });
  });

  test("an abort rejects with its reason, while a tool runs, too", async () => {
    const controller = new AbortController();
    const run = ruminate(searching(), "Who?", { library: hanging, signal: controller.signal });
    const taken = (async () => {
      for await (const part of run) if (part.type === "tool-call") controller.abort(new Error("enough"));
    })();
    await expect(taken).rejects.toThrow("enough");
    await expect(run.result()).rejects.toThrow("enough");
  });

  test("left early, it stops, and what there is is its result", async () => {
    const run = ruminate(searching(), "Who?", { library: hanging });
    for await (const part of run) if (part.type === "tool-call") break;
    expect(await run.result()).toMatchObject({
      ended: "abort",
      report: "",
      finishReason: "abort",
      steps: [{ calls: [{ call: { name: "search" } }] }],
    });
  });

  test("left in the middle of a thought, it gives what was thought and spent", async () => {
    const { model } = scriptedModel(turns("hm ".repeat(200)));
    const run = ruminate(model, "Who?", { tools });
    let thoughts = 0;
    for await (const part of run) if (part.type === "reasoning" && ++thoughts === 20) break;
    const { ended, reasoning, usage } = await run.result();
    expect(ended).toBe("abort");
    expect(reasoning).toMatch(/^hm hm /);
    expect(usage.reasoning).toBeGreaterThanOrEqual(20);
  });

  test("comes as a stream, too", async () => {
    const { model } = scriptedModel(turns(answer));
    const types: string[] = [];
    for await (const { type } of ruminate(model, "Hi", { tools }).stream) types.push(type);
    expect(types[0]).toBe("step");
    expect(types.at(-1)).toBe("finish");
  });

  test.each<[string, Readonly<Record<string, unknown>>, typeof TypeError | typeof RangeError]>([
    ["nothing to look into", {}, TypeError],
    ["both", { library: web, tools }, TypeError],
    ["half a library", { library: { search: () => [] } }, TypeError],
    ["no tools", { tools: [] }, RangeError],
    ["a tool without execute", { tools: [{ name: "a", parameters }] }, TypeError],
    ["no steps", { tools, budget: { steps: 0 } }, RangeError],
    ["half a token", { tools, budget: { tokens: 0.5 } }, RangeError],
    ["a budget of another kind", { tools, budget: 7 }, TypeError],
    ["steps of another kind", { tools, budget: { steps: "7" } }, TypeError],
    ["pages of no length", { library: web, pageLength: 0 }, RangeError],
    ["a blank conclusion", { tools, conclusion: " " }, TypeError],
    ["toolChoice", { tools, toolChoice: "none" }, TypeError],
    ["a format", { tools, format: { type: "json" } }, TypeError],
    ["maxSteps", { tools, maxSteps: 3 }, TypeError],
    ["an option of generations", { tools, temperature: -1 }, RangeError],
  ])("is refused at once with %s", (_, options, kind) => {
    const { model } = scriptedModel(turns(answer));
    // Wrong types are the point.
    expect(() => ruminate(model, "Hi", options as RuminateOptions)).toThrow(kind);
  });

  test("is refused at once without a question, without options, and by models that it does not fit", () => {
    const { model } = scriptedModel(turns(answer));
    expect(() => ruminate(model, [], { tools })).toThrow(TypeError);
    expect(() => ruminate(model, [{ role: "assistant", content: "a" }], { tools })).toThrow(TypeError);
    // @ts-expect-error: no options
    expect(() => ruminate(model, "Hi")).toThrow(TypeError);
    expect(() => ruminate(searching(), "Hi", { tools })).toThrow(/search, click, open, finish; give library instead/);
    const metadata = new Map([["general.architecture", "llama"]]);
    const plain: Model = Object.create(model, { info: { value: { ...model.info, metadata } } });
    const refusal = (): unknown => {
      try {
        return ruminate(plain, "Hi", { tools });
      } catch (error) {
        return error;
      }
    };
    expect(InferenceError.is(refusal(), "unsupported")).toBe(true);
  });
});
