import type { Part } from "../../../src/index.ts";
import { equal, failure, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { answer, answers, collect, greedy, question, user } from "./ask.ts";

/** Ways to stop a run; after each the model is usable at once. */
export const stopping: readonly ConformanceCase[] = [
  {
    name: "an aborted signal stops chat() before its first token, with its reason",
    async run(_, { model }) {
      const nano = await model();
      const reason = { not: "an error" };
      const before = nano.chat(user(question), { ...greedy, signal: AbortSignal.abort(reason) });
      equal(await failure(() => before.result(), "aborted before it began"), reason, "the reason");
      const controller = new AbortController();
      const started = nano.chat(user(question), { ...greedy, signal: controller.signal }).result();
      const rejected = failure(() => started, "aborted before the first token");
      controller.abort(reason);
      equal(await rejected, reason, "the reason");
      await answers(nano);
    },
  },
  {
    name: "an aborted signal stops chat() in the middle, with its reason",
    smoke: true,
    async run(_, { model }) {
      const nano = await model();
      const reason = new Error("enough");
      const controller = new AbortController();
      const parts: Part[] = [];
      const error = await failure(async () => {
        for await (const part of nano.chat(user(question), { ...greedy, signal: controller.signal })) {
          parts.push(part);
          if (part.type === "reasoning") controller.abort(reason);
        }
      }, "aborted in the middle");
      equal(error, reason, "the reason");
      ok(!parts.some(({ type }) => type === "text" || type === "finish"), "it went on to the end");
      await answers(nano);
    },
  },
  {
    name: "AbortSignal.timeout() ends a run with its TimeoutError",
    async run(_, { model }) {
      const nano = await model();
      const ramble = {
        temperature: 1.5,
        maxTokens: 400,
        reasoning: { minimum: 390 },
        signal: AbortSignal.timeout(1),
      } as const;
      const error = await failure(() => nano.chat(user(question), ramble).result(), "a run longer than its time-out");
      equal(error instanceof DOMException && error.name, "TimeoutError", "the reason");
      await answers(nano);
    },
  },
  {
    name: "leaving the loop stops the run, and the model is usable at once",
    smoke: true,
    async run(_, { model }) {
      const nano = await model();
      const run = nano.chat(user(question), greedy);
      for await (const part of run) if (part.type === "reasoning") break;
      await answers(nano);
      equal((await run.result()).finishReason, "abort", "finishReason of the run that was left");
    },
  },
  {
    name: "throwing out of the loop, cancelling the stream and disposing stop the run",
    async run(_, { model }) {
      const nano = await model();
      const own = new Error("of the caller");
      const thrown = await failure(async () => {
        for await (const part of nano.chat(user(question), greedy)) if (part.type === "reasoning") throw own;
      }, "a throw out of the loop");
      equal(thrown, own, "the caller's error");
      await answers(nano);
      const reader = nano.chat(user(question), greedy).stream.getReader();
      await reader.read();
      await reader.cancel();
      await answers(nano);
      const run = nano.chat(user(question), greedy);
      await run[Symbol.asyncIterator]().next();
      await run[Symbol.asyncDispose]();
      await answers(nano);
    },
  },
  {
    name: "cancelling the body of toResponse() stops the run",
    async run(_, { model }) {
      const nano = await model();
      const { body } = nano.chat(user(question), greedy).toResponse();
      ok(body, "the response has no body");
      const reader = body.getReader();
      await reader.read();
      await reader.read();
      await reader.cancel();
      await answers(nano);
    },
  },
  {
    name: "calls that are made together run one after the other, in order",
    async run(_, { model }) {
      const nano = await model();
      const order: string[] = [];
      const sums = ["What is 1 + 2?", "What is 3 + 4?", "What is 5 + 6?"];
      const texts = await Promise.all(
        sums.map(async (sum) => {
          const { parts, result } = await collect(nano.chat(user(sum), greedy));
          ok(parts.length > 2, "too few parts");
          order.push(sum);
          return result.text;
        }),
      );
      equal(texts, ["3", "7", "11"], "the answers");
      equal(order, sums, "the order in which they ended");
    },
  },
  {
    name: "a call that is aborted while it waits gives up its place",
    async run(_, { model }) {
      const nano = await model();
      const controller = new AbortController();
      const first = nano.chat(user(question), greedy).result();
      const second = failure(
        () => nano.chat(user(question), { ...greedy, signal: controller.signal }).result(),
        "aborted in the queue",
      );
      const third = nano.chat(user(question), greedy).result();
      controller.abort("no longer");
      equal(await second, "no longer", "the reason");
      equal((await first).text, answer, "the one before");
      equal((await third).text, answer, "the one after");
    },
  },
];
