import { equal, failsWith, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { greedy, question, user } from "./ask.ts";

/** A key hidden in text that tells nothing: `sentences` of about ten tokens, the key in the first third. */
function haystack(sentences: number): string {
  const subjects = ["small dog", "old boat", "green bird", "quiet lake", "tall tree", "white horse", "warm house"];
  const verbs = ["sees", "follows", "finds", "hears", "meets"];
  const text = Array.from({ length: sentences }, (_, index) => {
    const [one, other] = [subjects[index % subjects.length], subjects[(3 * index + 2) % subjects.length]];
    return `The ${one} ${verbs[index % verbs.length]} the ${other}.`;
  });
  text.splice(Math.floor(sentences / 3), 0, "The code of maple is 4173.");
  return `${text.join(" ")} What is the code of maple?`;
}

/** Sizes and YaRN. */
export const context: readonly ConformanceCase[] = [
  {
    name: "a prompt past the trained length is read with YaRN, and a short one afterwards as before",
    smoke: true,
    async run(sdk, { load }) {
      const model = await sdk.loadModel(undefined, { ...load, context: { extend: "auto" } });
      const before = await model.chat(user(question), greedy).result();
      const long = await model.chat(user(haystack(110)), { ...greedy, maxTokens: 60 }).result();
      ok(long.usage.prompt > model.info.contextTrained * 1.5, `usage.prompt: ${long.usage.prompt}`);
      equal(long.text, "4173", "the key");
      const after = await model.chat(user(question), greedy).result();
      equal([after.reasoning, after.text], [before.reasoning, before.text], "the short request");
      await model.close();
    },
  },
  {
    name: "far past the trained length YaRN finds a key, and plain RoPE does not",
    async run(sdk, { load }) {
      const found: string[] = [];
      for (const extend of ["auto", "off"] as const) {
        const model = await sdk.loadModel(undefined, { ...load, context: { size: 2048, extend } });
        const { reasoning, usage } = await model.chat(user(haystack(150)), { ...greedy, maxTokens: 12 }).result();
        ok(usage.prompt > model.info.contextTrained * 2, `usage.prompt: ${usage.prompt}`);
        found.push(reasoning);
        await model.close();
      }
      const [withYarn = "", without = ""] = found;
      ok(withYarn.includes("4173"), `with YaRN: ${withYarn}`);
      ok(without !== "" && !without.includes("4173"), `without YaRN: ${without}`);
    },
  },
  {
    name: "the model card's rope_scaling snippet is accepted as it stands",
    async run(sdk, { load }) {
      const extend = { type: "yarn", factor: 4, original_max_position_embeddings: 512 } as const;
      const model = await sdk.loadModel(undefined, { ...load, context: { extend } });
      const long = await model.chat(user(haystack(110)), { ...greedy, maxTokens: 60 }).result();
      ok(long.usage.prompt > 512 && long.usage.text + long.usage.reasoning > 0, `usage: ${JSON.stringify(long.usage)}`);
      await model.close();
    },
  },
  {
    name: 'extend "off" refuses a prompt past the trained length with context-full',
    async run(sdk, { load }) {
      const model = await sdk.loadModel(undefined, { ...load, context: { extend: "off" } });
      const { details } = await failsWith(sdk, "context-full", () => model.chat(user(haystack(110)), greedy).result());
      const [needed, room] = [Number(details?.["needed"]), Number(details?.["window"])];
      ok(needed > room && room === 512, `details: ${JSON.stringify(details)}`);
      equal((await model.chat(user(question), greedy).result()).text, "132", "the answer afterwards");
      await model.close();
    },
  },
  {
    name: "a prompt past four times the trained length is refused with context-full",
    async run(sdk, { model }) {
      await failsWith(sdk, "context-full", async () => (await model()).chat(user(haystack(260)), greedy).result());
    },
  },
  {
    name: 'overflow "drop-oldest" forgets the oldest turns of a session and goes on',
    async run(_, { model }) {
      const talk = await (
        await model()
      ).session({ ...greedy, context: { size: 256, extend: "off", overflow: "drop-oldest" } });
      let overflows = 0;
      talk.addEventListener("contextoverflow", () => overflows++);
      for (let turn = 0; turn < 8; turn++) {
        const { text } = await talk.prompt(`What is ${turn + 20} + ${turn + 31}?`, { maxTokens: 150 }).result();
        equal(text, String(2 * turn + 51), `turn ${turn}`);
      }
      ok(overflows > 0, "no contextoverflow event");
      ok(talk.messages.length < 16, `messages: ${talk.messages.length}`);
      await talk.close();
    },
  },
  {
    name: "planContext() follows the rule of the contract",
    async run(sdk) {
      const plan = sdk.planContext({ inputTokens: 40_000, maxTokens: 1000, trained: 32_768 });
      equal(plan.rope, { type: "yarn", factor: 1.5, originalContext: 32_768 }, "past the trained length");
      equal(sdk.planContext({ inputTokens: 100, maxTokens: 100, trained: 32_768 }).rope, undefined, "within it");
      await failsWith(sdk, "context-full", () => sdk.planContext({ inputTokens: 140_000, trained: 32_768 }));
    },
  },
];
