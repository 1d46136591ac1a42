import type { Message } from "../../../src/index.ts";
import { equal, failure, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { question, user } from "./ask.ts";

/** Messages in, prompts out. */
export const prompt: readonly ConformanceCase[] = [
  {
    name: "render() keeps thoughts out of the history, and a user's closing tag in it",
    async run(_, { model }) {
      const nano = await model();
      const messages: readonly Message[] = [
        { role: "system", content: "Be short." },
        { role: "user", content: "Is </think> a tag?" },
        { role: "assistant", content: "Yes.", reasoning: "It looks like one." },
        { role: "user", content: question },
      ];
      equal(
        await nano.render(messages),
        `[gMASK]<sop><|system|>\nBe short.<|user|>\nIs </think> a tag?<|assistant|>\nYes.<|user|>\n${question}<|assistant|>\n<think>\n`,
        "render",
      );
    },
  },
  {
    name: 'render() with reasoning "off" ends in an empty block',
    async run(_, { model }) {
      const rendered = await (await model()).render(user(question), { reasoning: "off" });
      ok(/<think>\s*<\/think>\s*$/.test(rendered), `rendered: ${rendered}`);
      equal(rendered.split("<think>").length, 2, "opening tags");
    },
  },
  {
    name: "count() grows with the text, also of characters of several bytes",
    async run(_, { model }) {
      const nano = await model();
      equal(await nano.count(""), 0, "the empty text");
      // A token a digit: the model was made so.
      equal(await nano.count("1234567890"), 10, "ten digits");
      const once = await nano.count("春は、あけぼの。🌸");
      ok(once > 0 && (await nano.count("春は、あけぼの。🌸 春は、あけぼの。🌸")) >= 2 * once, "twice the text");
    },
  },
  {
    name: "a wrong argument is a TypeError or a RangeError, before anything runs",
    async run(sdk, { model }) {
      const nano = await model();
      const wrong = async (
        run: () => unknown,
        type: typeof TypeError | typeof RangeError,
        what: string,
      ): Promise<void> => {
        const error = await failure(run, what);
        ok(error instanceof type, `${what}: got ${String(error)}, expected ${type.name}`);
      };
      await wrong(() => nano.chat(user("1"), { temperature: -1 }).result(), RangeError, "temperature -1");
      await wrong(() => nano.chat(user("1"), { maxTokens: 1.5 }).result(), RangeError, "maxTokens 1.5");
      await wrong(() => nano.chat(user("1"), { stop: "" }).result(), TypeError, "an empty stop text");
      await wrong(() => sdk.loadModel(undefined, { threads: 0 }), RangeError, "threads 0");
      // A JavaScript caller has no compiler to stop it.
      await wrong(() => sdk.loadModel(42 as never), TypeError, "a number as source");
    },
  },
  {
    name: "splitReasoning(), forceThinking(), pruneHistory() and ReasoningStream need no model",
    async run(sdk) {
      equal(sdk.splitReasoning("<think>a</think>b"), { reasoning: "a", text: "b", open: false }, "splitReasoning");
      equal(sdk.forceThinking(sdk.forceThinking("Q<|assistant|>\n")), "Q<|assistant|>\n<think>\n", "forceThinking");
      const pruned = sdk.pruneHistory([{ role: "assistant", content: "b", reasoning: "a" }]);
      equal(pruned, [{ role: "assistant", content: "b" }], "pruneHistory");
      const stream = new sdk.ReasoningStream();
      const writer = stream.writable.getWriter();
      const written = (async () => {
        for (const piece of ["<th", "ink>a</thi", "nk>b"]) await writer.write(piece);
        await writer.close();
      })();
      const reader = stream.readable.getReader();
      let seen = "";
      for (let read = await reader.read(); !read.done; read = await reader.read())
        seen += `${read.value.type}:${read.value.text};`;
      await written;
      equal(seen, "reasoning:a;text:b;", "ReasoningStream");
    },
  },
];
