import { ask, type Group, isRight, plainContext, user } from "./group.ts";
import { readItems } from "./items.ts";
import { Scores } from "./scores.ts";

export const short: Group = {
  title: "With and without thinking",
  about: 'One question, `reasoning: "force"` and `reasoning: "off"`.',
  rows: "task",
  async run({ count, load }) {
    const scores = new Scores();
    await using model = await load(plainContext);
    for (const { task, question, answer } of readItems("short", count)) {
      for (const [way, reasoning] of [
        ["forced thinking", "force"],
        ["no thinking", "off"],
      ] as const) {
        const reply = await ask(model, [user(question)], { reasoning });
        scores.note({ task, way, right: isRight(reply, answer) });
      }
    }
    return scores;
  },
};
