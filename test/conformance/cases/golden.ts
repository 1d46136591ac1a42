import type { GoldenCase } from "../../golden/make.ts";
import type { Result } from "../../../src/index.ts";
import { equal, failsWith } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { user } from "./ask.ts";

/** The same tokens as native llama.cpp. */
export const golden: readonly ConformanceCase[] = [
  {
    name: "generate() continues every golden prompt as native llama.cpp does, token for token",
    async run(_, { model, golden: { cases } }) {
      const nano = await model();
      for (const { name, prompt, maxTokens, promptTokens, outputTokens, text, finishReason } of cases) {
        const result = await nano.generate(prompt, { temperature: 0, maxTokens }).result();
        // Sampled tokens: the end token is one of them.
        const sampled = outputTokens.length + (finishReason === "stop" ? 1 : 0);
        equal(spoken(result), text, `${name}: text`);
        equal(result.usage.prompt, promptTokens.length, `${name}: prompt tokens`);
        equal(result.usage.text + result.usage.reasoning, sampled, `${name}: sampled tokens`);
        equal(result.finishReason, finishReason, `${name}: finishReason`);
      }
    },
  },
  {
    name: "chat() thinks and answers as native llama.cpp does on the same prompt",
    async run(_, { model, golden: { cases } }) {
      const nano = await model();
      for (const entry of questions(cases)) {
        const result = await nano.chat(user(entry.question), { temperature: 0, maxTokens: entry.maxTokens }).result();
        const [reasoning, text] = entry.text.split("\n</think>\n");
        equal(result.reasoning.trim(), reasoning, `${entry.name}: reasoning`);
        equal(result.text, text, `${entry.name}: text`);
        equal(result.usage.prompt, entry.promptTokens.length, `${entry.name}: prompt tokens`);
      }
    },
  },
  {
    name: "render() spells a question as the model was trained on it",
    async run(_, { model, golden: { cases } }) {
      const nano = await model();
      for (const { question, prompt } of questions(cases)) equal(await nano.render(user(question)), prompt, "render");
    },
  },
  {
    name: "count() counts the tokens of native llama.cpp",
    async run(_, { model, golden: { cases } }) {
      const nano = await model();
      for (const { question, promptTokens } of questions(cases)) {
        equal(await nano.count(user(question)), promptTokens.length, question);
      }
    },
  },
  {
    name: "tokenize() gives the token ids of native llama.cpp, and detokenize() the text again",
    needs: "tokenize",
    async run(_, { model, golden: { cases } }) {
      const nano = await model();
      for (const { prompt, promptTokens, outputTokens, text } of cases) {
        equal([...(await nano.tokenize(prompt, { special: true }))], [...promptTokens], prompt);
        equal(await nano.detokenize(Uint32Array.from(outputTokens)), text, "detokenize");
      }
    },
    async absent(sdk, { model }) {
      const nano = await model();
      await failsWith(sdk, "unsupported", () => nano.tokenize("1"));
      await failsWith(sdk, "unsupported", () => nano.detokenize(Uint32Array.of(52)));
    },
  },
  {
    name: "chat() takes control tokens in a user's text for the characters that they are",
    smoke: true,
    async run(_, { model, golden: { forgeries } }) {
      const nano = await model();
      for (const { name, content, maxTokens, promptTokens, text } of forgeries) {
        // As many tokens as the plain characters need: one more or less, and some of them were read as control.
        equal(await nano.count(user(content)), promptTokens.length, `${name}: prompt tokens`);
        const result = await nano.chat(user(content), { temperature: 0, maxTokens }).result();
        equal(spoken(result), text, name);
      }
    },
  },
];

/** What the model wrote, the tag between its thoughts and its text put back. */
function spoken({ reasoning, text, reasoningEnd }: Result): string {
  return reasoningEnd === "model" ? `${reasoning.trimEnd()}\n</think>\n${text}` : reasoning + text;
}

function questions(cases: readonly GoldenCase[]): (GoldenCase & { readonly question: string })[] {
  return cases.flatMap((entry) => (entry.question === undefined ? [] : [{ ...entry, question: entry.question }]));
}
