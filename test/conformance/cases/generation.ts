import type { Part } from "../../../src/index.ts";
import { equal, failure, failsWith, ok } from "../assert.ts";
import type { ConformanceCase, ConformanceContext, Sdk } from "../contract.ts";
import { answer, collect, greedy, joined, question, user } from "./ask.ts";

const tags = /<\/?think>/;

const schema = { type: "object", properties: { answer: { type: "integer" } }, required: ["answer"] };

async function refusesJson(sdk: Sdk, { model }: ConformanceContext): Promise<void> {
  const options = { ...greedy, format: { type: "json" } } as const;
  await failsWith(sdk, "unsupported", async () => (await model()).chat(user(question), options).result());
}

/** What a run yields, and the ways to take it. */
export const generation: readonly ConformanceCase[] = [
  {
    name: "chat() streams prefill, then thoughts, then the answer, then finish",
    smoke: true,
    async run(_, { model }) {
      const { parts, result } = await collect((await model()).chat(user(question), greedy));
      const order: Part["type"][] = [];
      for (const { type } of parts) if (order.at(-1) !== type) order.push(type);
      equal(order, ["prefill", "reasoning", "text", "finish"], "the order of the parts");
      ok(
        parts.filter(({ type }) => type === "reasoning").length > 5,
        "the thoughts came in too few parts to be a stream",
      );
      equal(result.text, answer, "result.text");
      ok(result.reasoning.includes("4+8+1=13"), `result.reasoning: ${result.reasoning}`);
    },
  },
  {
    name: "chat() says the same in its parts and in its result, and no tag in either",
    async run(_, { model }) {
      const { parts, result } = await collect((await model()).chat(user(question), greedy));
      equal(joined(parts, "text").trim(), result.text, "text");
      equal(joined(parts, "reasoning").trim(), result.reasoning.trim(), "reasoning");
      ok(!tags.test(result.text + result.reasoning), "a tag is left in the result");
      for (const part of parts)
        if ("text" in part) ok(!tags.test(part.text), `a tag is left in ${JSON.stringify(part)}`);
      equal(result.message.role, "assistant", "message.role");
      equal(result.message.content, result.text, "message.content");
      equal(result.finishReason, "stop", "finishReason");
      equal(result.reasoningEnd, "model", "reasoningEnd");
    },
  },
  {
    name: "result() counts tokens and times",
    async run(_, { model, golden }) {
      const { usage, timings } = await (await model()).chat(user(question), greedy).result();
      const native = golden.cases.find((entry) => entry.question === question);
      ok(native, "no golden case asks this");
      equal(usage.prompt, native.promptTokens.length, "usage.prompt");
      // The closing tag and its newlines are told as thoughts, text, or neither; all else is.
      const made = usage.text + usage.reasoning;
      ok(
        Math.abs(made - native.outputTokens.length) <= 3,
        `${made} tokens made, native made ${native.outputTokens.length}`,
      );
      ok(usage.reasoning > usage.text && usage.text > 0, `usage: ${JSON.stringify(usage)}`);
      for (const [name, value] of Object.entries(timings))
        ok(value >= 0 && Number.isFinite(value), `timings.${name}: ${value}`);
      ok(timings.tokensPerSecond > 0, "timings.tokensPerSecond");
    },
  },
  {
    name: "text, reasoning and stream each give one view of a run",
    async run(_, { model }) {
      const nano = await model();
      let text = "";
      for await (const piece of nano.chat(user(question), greedy).text) text += piece;
      equal(text.trim(), answer, "text");
      let reasoning = "";
      for await (const piece of nano.chat(user(question), greedy).reasoning) reasoning += piece;
      ok(reasoning.includes("4+8+1=13"), `reasoning: ${reasoning}`);
      const parts: Part[] = [];
      const reader = nano.chat(user(question), greedy).stream.getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) parts.push(read.value);
      equal(joined(parts, "text").trim(), answer, "stream");
      equal(parts.at(-1)?.type, "finish", "the last part of the stream");
    },
  },
  {
    name: "a generation shares one run between its parts and result(), and refuses to be iterated twice",
    async run(_, { model }) {
      const run = (await model()).chat(user(question), greedy);
      const [{ result }, shared] = await Promise.all([collect(run), run.result()]);
      equal(shared, result, "result() beside an iteration");
      const error = await failure(() => collect(run), "a second iteration");
      ok(error instanceof TypeError, "a second iteration should be a TypeError");
    },
  },
  {
    name: "chat() takes a prompt that it has just evaluated from the cache",
    async run(_, { model }) {
      const nano = await model();
      const first = await nano.chat(user(question), greedy).result();
      const { parts, result } = await collect(nano.chat(user(question), greedy));
      equal(result.text, first.text, "the text");
      ok(result.usage.cached > result.usage.prompt / 2, `usage: ${JSON.stringify(result.usage)}`);
      const prefill = parts.find((part) => part.type === "prefill");
      equal(prefill?.cached, result.usage.cached, "cached in the prefill part");
    },
  },
  {
    name: "generate() with maxTokens ends with length, after as many tokens",
    async run(_, { model, golden }) {
      const native = golden.cases.find((entry) => entry.name === "no thinking");
      ok(native, "no golden case is called no thinking");
      const { finishReason, usage, text } = await (
        await model()
      )
        .generate(native.prompt, { ...greedy, maxTokens: 7 })
        .result();
      equal(finishReason, "length", "finishReason");
      equal(usage.text, 7, "tokens made");
      ok(text.length > 0 && native.text.startsWith(text), `text: ${text}`);
    },
  },
  {
    name: "maxTokens may cut inside a character of several bytes",
    async run(_, { model, golden }) {
      const nano = await model();
      const native = golden.cases.find((entry) => entry.name === "chinese");
      ok(native, "no golden case is called chinese");
      for (let maxTokens = native.outputTokens.length - 6; maxTokens < native.outputTokens.length; maxTokens++) {
        const { text, finishReason } = await nano.generate(native.prompt, { ...greedy, maxTokens }).result();
        equal(finishReason, "length", `finishReason after ${maxTokens} tokens`);
        ok(text.isWellFormed(), `a broken character after ${maxTokens} tokens: ${text}`);
      }
    },
  },
  {
    name: "generate() with stop texts ends before the first of them",
    async run(_, { model, golden }) {
      const native = golden.cases.find((entry) => entry.name === "addition");
      ok(native, "no golden case is called addition");
      // "rev 7" spans several tokens and begins inside a line, so that it is found only by holding text back.
      const run = (await model()).generate(native.prompt, { ...greedy, stop: ["rev 7", "never said"] });
      const { parts, result } = await collect(run);
      equal(result.reasoning.trimEnd(), native.text.slice(0, native.text.indexOf("rev 7")).trimEnd(), "reasoning");
      equal(joined(parts, "reasoning").trimEnd(), result.reasoning.trimEnd(), "the parts");
      equal(result.finishReason, "stop", "finishReason");
    },
  },
  {
    name: "a seed makes sampling repeatable, and other seeds differ",
    async run(_, { model }) {
      const nano = await model();
      const sample = async (seed: number): Promise<string> => {
        // The model knows its jokes by heart.
        const options = { seed, temperature: 4, topP: 1, topK: 0, minP: 0, maxTokens: 24 };
        const { text, reasoning } = await nano.chat(user("Tell me a joke."), options).result();
        return JSON.stringify([reasoning, text]);
      };
      equal(await sample(7), await sample(7), "the same seed twice");
      const others = new Set([await sample(1), await sample(2), await sample(3), await sample(4)]);
      ok(others.size > 1, `four seeds gave one text: ${[...others].join()}`);
    },
  },
  {
    name: "chat() streams characters of several bytes whole",
    async run(_, { model, golden }) {
      const native = golden.cases.find((entry) => entry.name === "chinese");
      ok(native?.question, "no golden case is called chinese");
      const { parts, result } = await collect((await model()).chat(user(native.question), greedy));
      equal(result.text, native.text.split("</think>\n")[1], "text");
      for (const part of parts) {
        if ("text" in part)
          ok(part.text.isWellFormed() && !part.text.includes("\uFFFD"), `a broken character: ${part.text}`);
      }
    },
  },
  {
    name: "chat() with a JSON schema gives JSON that follows it",
    needs: "json",
    async run(_, { model }) {
      const options = { ...greedy, reasoning: "off", format: { type: "json", schema } } as const;
      const { text } = await (await model()).chat(user(question), options).result();
      const value: unknown = JSON.parse(text);
      ok(typeof value === "object" && value !== null && "answer" in value, `no answer in ${text}`);
      ok(Number.isInteger(value.answer), `answer is no integer in ${text}`);
    },
    absent: refusesJson,
  },
  {
    name: "chat() with a JSON schema lets the model think freely first",
    needs: "json",
    async run(_, { model }) {
      const { text, reasoning, reasoningEnd } = await (
        await model()
      )
        .chat(user(question), { ...greedy, format: { type: "json", schema } })
        .result();
      ok(reasoning.includes("4+8+1=13"), `reasoning: ${reasoning}`);
      equal(reasoningEnd, "model", "reasoningEnd");
      equal(JSON.parse(text), { answer: 132 }, "the answer");
    },
    absent: refusesJson,
  },
  {
    name: "logprobs come with the part that holds their text, most likely first",
    needs: "logprobs",
    async run(_, { model }) {
      const { parts, result } = await collect((await model()).chat(user(question), { ...greedy, logprobs: 2 }));
      for (const type of ["reasoning", "text"] as const) {
        const tokens = parts.flatMap((part) => (part.type === type ? (part.logprobs ?? []) : []));
        equal(tokens.map(({ text }) => text).join(""), result[type], `the tokens of ${type}`);
        for (const { id, logprob, top = [] } of tokens) {
          ok(logprob <= 0 && top.length === 2, `token ${id}: ${logprob}, ${top.length} alternatives`);
          // Greedy: what was said is what was likeliest.
          equal(top[0]?.id, id, "the likeliest token");
        }
      }
    },
    async absent(sdk, { model }) {
      await failsWith(sdk, "unsupported", async () =>
        (await model()).chat(user(question), { ...greedy, logprobs: 2 }).result(),
      );
    },
  },
  {
    name: "toResponse() sends chat-completion chunks as server-sent events",
    async run(_, { model }) {
      const response = (await model()).chat(user(question), greedy).toResponse({ headers: { "x-extra": "kept" } });
      ok(response.headers.get("content-type")?.startsWith("text/event-stream"), "content-type");
      equal(response.headers.get("x-extra"), "kept", "a header of the caller");
      const events = (await response.text()).split("\n\n").filter((event) => event !== "");
      ok(
        events.every((event) => event.startsWith("data: ")),
        "every event is one data line",
      );
      equal(events.at(-1), "data: [DONE]", "the last event");
      const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
      const said = (field: string): string => chunks.map((chunk) => chunk.choices[0].delta[field] ?? "").join("");
      equal(said("content").trim(), answer, "content");
      ok(said("reasoning_content").includes("4+8+1=13"), "reasoning_content");
      equal(chunks.at(-1).choices[0].finish_reason, "stop", "finish_reason");
    },
  },
  {
    name: "embed() gives a vector of unit length for each text, the nearer the more alike they are",
    needs: "embed",
    async run(_, { model }) {
      const nano = await model();
      const [sum, same, alike, other] = await nano.embed(["47 + 85", "47 + 85", "47 + 86", "Where does Ana live?"]);
      ok(sum && same && alike && other, "one vector for each text");
      const product = (a: Float32Array, b: Float32Array): number =>
        a.reduce((total, x, at) => total + x * (b[at] ?? 0), 0);
      ok(Math.abs(product(sum, sum) - 1) < 1e-4, `length ${product(sum, sum)}`);
      ok(product(sum, same) > 0.9999, "the same text twice");
      ok(product(sum, alike) > product(sum, other), `${product(sum, alike)} against ${product(sum, other)}`);
      equal((await nano.chat(user(question), { temperature: 0 }).result()).text, answer, "chat() afterwards");
    },
    async absent(sdk, { model }) {
      const nano = await model();
      await failsWith(sdk, "unsupported", () => nano.embed("1"));
    },
  },
  {
    name: "rank() scores documents by a query",
    needs: "rank",
    async run(_, { model }) {
      const nano = await model();
      equal((await nano.rank("1", ["1", "2"])).length, 2, "scores");
    },
    async absent(sdk, { model }) {
      const nano = await model();
      await failsWith(sdk, "unsupported", () => nano.rank("1", ["2"]));
    },
  },
];
