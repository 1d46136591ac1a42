import type { ContextOptions } from "../../src/index.ts";
import { ask, type Group, isRight, user } from "./group.ts";
import { readItems } from "./items.ts";
import { Scores } from "./scores.ts";

/** Few enough that no item within the trained length is made too long for it by its reply. */
const maxTokens = 40;

const ways: readonly (readonly [string, ContextOptions])[] = [
  ["plain RoPE", { size: 2048, extend: "off" }],
  ["YaRN where needed", { extend: "auto" }],
];

export const long: Group = {
  title: "Retrieval past the trained context",
  about:
    "One message of about so many tokens that hides a few keys and asks for one; the model was trained on up to 512. Plain\n" +
    'RoPE is `context: { size: 2048, extend: "off" }`; `extend: "auto"` picks the smallest sufficient YaRN factor past 512.',
  rows: "length",
  async run({ count, load }) {
    const scores = new Scores();
    for (const [way, context] of ways) {
      await using model = await load(context);
      for (const { length, context: text, question, answer } of readItems("long", count)) {
        const reply = await ask(model, [user(`${text} ${question}`)], { maxTokens });
        scores.note({ task: `${length} tokens`, way, right: isRight(reply, answer) });
      }
    }
    return scores;
  },
};
