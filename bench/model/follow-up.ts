import type { Message } from "../../src/index.ts";
import { ask, type Group, isRight, plainContext, user } from "./group.ts";
import { readItems } from "./items.ts";
import { Scores } from "./scores.ts";

export const followUp: Group = {
  title: "Follow-up turns",
  about:
    "Each question refers to the answer before. The turns before the last are given, right answers with right thoughts;\n" +
    'the last is scored with the thoughts pruned from the history (`keepReasoning: "none"`) and with all kept (`"all"`).',
  rows: "last turn",
  async run({ count, load }) {
    const scores = new Scores();
    await using model = await load(plainContext);
    for (const { task, turns } of readItems("follow-up", count)) {
      const last = turns.at(-1);
      if (!last) continue;
      const history = turns
        .slice(0, -1)
        .flatMap(({ question, thought, answer }): Message[] => [
          user(question),
          { role: "assistant", content: answer, reasoning: thought },
        ]);
      for (const [way, keepReasoning] of [
        ["thoughts pruned", "none"],
        ["thoughts kept", "all"],
      ] as const) {
        const reply = await ask(model, [...history, user(last.question)], { keepReasoning });
        scores.note({ task: task.replace("follow-up ", ""), way, right: isRight(reply, last.answer) });
      }
    }
    return scores;
  },
};
