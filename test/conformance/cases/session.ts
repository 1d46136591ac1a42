import { equal, failsWith, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { answer, greedy, question, user } from "./ask.ts";

/** Conversations. */
export const session: readonly ConformanceCase[] = [
  {
    name: "session() remembers the answers, forgets the thoughts, and evaluates only what is new",
    smoke: true,
    async run(_, { model }) {
      const talk = await (await model()).session({ ...greedy, system: "Be short." });
      equal((await talk.prompt(question).result()).text, answer, "the first answer");
      const second = await talk.prompt("Add 7 to that.").result();
      equal(second.text, "139", "the second answer");
      ok(second.usage.cached > 0, `usage: ${JSON.stringify(second.usage)}`);
      const third = await talk.prompt("Double that.").result();
      equal(third.text, "278", "the third answer");
      ok(third.usage.cached > second.usage.cached, "the cache does not grow with the conversation");
      equal(
        talk.messages,
        [
          { role: "system", content: "Be short." },
          { role: "user", content: question },
          { role: "assistant", content: answer },
          { role: "user", content: "Add 7 to that." },
          { role: "assistant", content: "139" },
          { role: "user", content: "Double that." },
          { role: "assistant", content: "278" },
        ],
        "messages",
      );
      await talk.close();
    },
  },
  {
    name: "session() gives the answer of a chat() with the same messages",
    async run(_, { model, golden }) {
      const native = golden.cases.find((entry) => entry.name === "second turn");
      ok(native, "no golden case is called second turn");
      const history = [
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ] as const;
      const nano = await model();
      const talk = await nano.session({ ...greedy, system: "Be short.", history });
      const { reasoning, text, usage } = await talk.prompt("Add 7 to that.").result();
      equal(`${reasoning.trim()}\n</think>\n${text}`, native.text, "the second turn");
      equal(usage.prompt, native.promptTokens.length, "usage.prompt");
      await talk.close();
    },
  },
  {
    name: "session() keeps its messages as they were when a turn is left",
    async run(_, { model }) {
      const talk = await (await model()).session(greedy);
      await talk.prompt(question).result();
      const before = talk.messages;
      for await (const part of talk.prompt("Add 7 to that.")) if (part.type === "reasoning") break;
      equal(talk.messages, before, "messages");
      equal((await talk.prompt("Add 7 to that.").result()).text, "139", "the turn, asked again");
      await talk.close();
    },
  },
  {
    name: "clone() goes its own way",
    async run(_, { model }) {
      const talk = await (await model()).session(greedy);
      await talk.prompt(question).result();
      const copy = await talk.clone();
      equal((await copy.prompt("Add 7 to that.").result()).text, "139", "the copy");
      equal((await talk.prompt("Double that.").result()).text, "264", "the original");
      equal(copy.messages.length, 4, "messages of the copy");
      await copy.close();
      equal(talk.messages.length, 4, "messages of the original, once the copy is closed");
      await talk.close();
    },
  },
  {
    name: "append() and measureContextUsage() count the conversation",
    async run(_, { model }) {
      const nano = await model();
      const talk = await nano.session({ ...greedy, system: "Be short." });
      const empty = await talk.measureContextUsage(question);
      await talk.append([
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ]);
      ok((await talk.measureContextUsage(question)) > empty, "the appended messages do not count");
      ok(talk.contextUsage > 0 && talk.contextUsage < talk.contextWindow, `contextUsage: ${talk.contextUsage}`);
      equal((await talk.prompt("Add 7 to that.").result()).text, "139", "the answer");
      await talk.close();
    },
  },
  {
    name: "save() and restore() carry a conversation over",
    needs: "state",
    async run(_, { model }) {
      const nano = await model();
      const talk = await nano.session(greedy);
      await talk.prompt(question).result();
      const other = await nano.session(greedy);
      await other.restore(await talk.save());
      equal(other.messages, talk.messages, "messages");
      const { text, usage } = await other.prompt("Add 7 to that.").result();
      equal(text, "139", "the next answer");
      ok(usage.cached > 0, "nothing was taken from the cache");
    },
    async absent(sdk, { model }) {
      const talk = await (await model()).session(greedy);
      await failsWith(sdk, "unsupported", () => talk.save());
      await failsWith(sdk, "unsupported", () => talk.restore(new Blob()));
    },
  },
  {
    name: "a budget that is spent costs no second prefill",
    needs: "tokenize",
    async run(_, { model }) {
      const nano = await model();
      const free = await nano.chat(user(question), { ...greedy, maxTokens: 40 }).result();
      const parts = [];
      for await (const part of nano.chat(user(question), { ...greedy, reasoning: { budget: 8 } })) parts.push(part);
      const prefills = parts.filter((part) => part.type === "prefill");
      // One prefill, of the one token whose logits are wanted: the rounds after it find all that was said in the cache.
      ok(
        prefills.every(({ total }) => total === free.usage.prompt),
        "a later round's prefill was told as the first one's",
      );
      const finish = parts.at(-1);
      ok(
        finish?.type === "finish" && finish.result.usage.cached === free.usage.prompt - 1,
        "the prompt was not cached",
      );
    },
    async absent(sdk, { model }) {
      const nano = await model();
      await failsWith(sdk, "unsupported", () => nano.tokenize("1"));
    },
  },
  {
    name: "a session's next turn evaluates its new message only, though thoughts are taken out of the history",
    needs: "tokenize",
    async run(_, { model }) {
      const nano = await model();
      const talk = await nano.session(greedy);
      const next = "Add 7 to that.";
      await talk.prompt(question).result();
      // The answer is evaluated while nobody wants the engine; nothing tells when.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const { usage } = await talk.prompt(next).result();
      const alone = await nano.count(user(next));
      ok(
        usage.prompt - usage.cached <= alone,
        `${usage.prompt - usage.cached} tokens were evaluated; the new message by itself has ${alone}`,
      );
    },
    async absent(sdk, { model }) {
      const nano = await model();
      await failsWith(sdk, "unsupported", () => nano.tokenize("1"));
    },
  },
  {
    name: "a closed session rejects with closed, and the model lives on",
    async run(sdk, { model }) {
      const nano = await model();
      const talk = await nano.session(greedy);
      await talk.close();
      await talk.close();
      await failsWith(sdk, "closed", () => talk.prompt(question).result());
      equal((await (await nano.session(greedy)).prompt(question).result()).text, answer, "another session");
    },
  },
];
