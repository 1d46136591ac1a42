// The model calls a tool, twice, and answers from the results.   node examples/node/tools.ts
import { loadModel, type Tool } from "ruminate";

const facts: Record<string, string> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };
const search: Tool<{ query: string }> = {
  name: "search",
  description: "Search for a fact",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
  // Without it, the calls end the run and are yours to answer.
  execute: ({ query }) => facts[query] ?? "not found",
};

await using model = await loadModel();
const question = "Who is the friend of the owner of the fast boat?";
const generation = model.chat([{ role: "user", content: question }], { tools: [search] });
for await (const part of generation) {
  if (part.type === "tool-call") console.log(`${part.call.name}(${JSON.stringify(part.call.arguments)})`);
  if (part.type === "tool-result") console.log("->", part.result);
}
const { text, usage } = await generation.result();
console.log(text, `(${usage.text + usage.reasoning} tokens)`);
