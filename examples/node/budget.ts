// Bounds for the thoughts: a budget, a minimum, and "answer now" while it runs.   node examples/node/budget.ts
import { loadModel } from "ruminate";

await using model = await loadModel();
const messages = [{ role: "user", content: "What is 47 + 85?" }] as const;

for (const reasoning of [{ budget: 100 }, { budget: 36 }, { budget: 0 }, { minimum: 60, nudge: "Check again: " }]) {
  const { text, reasoningEnd, usage } = await model.chat(messages, { reasoning }).result();
  console.log(JSON.stringify(reasoning), "->", text, `(${usage.reasoning} tokens thought, ended by: ${reasoningEnd})`);
}

const generation = model.chat(messages);
for await (const part of generation) {
  if (part.type === "reasoning" && part.text.includes("rev")) generation.endReasoning();
}
console.log("endReasoning() ->", (await generation.result()).reasoningEnd);
