// Long thinking over a folder of notes, until the answer is found.   node examples/node/ruminate.ts
import { readdir, readFile } from "node:fs/promises";
import { loadModel, ruminate, type Tool } from "ruminate";

const folder = new URL("../corpus/", import.meta.url);
const notes = await Promise.all(
  (await readdir(folder)).map(async (url) => ({ url, text: (await readFile(new URL(url, folder), "utf8")).trim() })),
);
const search: Tool<{ query: string }> = {
  name: "search",
  description: "Search for a fact",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
  // A page: the model reads its text, and the report has its address among the sources.
  execute: ({ query }) => notes.find(({ text }) => text.startsWith(`${query}:`)) ?? "not found",
};

await using model = await loadModel();
const question = "Who is the friend of the owner of the fast boat?";
const run = ruminate(model, question, { tools: [search], budget: { steps: 5 } });
for await (const part of run) {
  if (part.type === "step") console.log(`step ${part.step}`);
  if (part.type === "reasoning") process.stdout.write(part.text);
  if (part.type === "tool-call") console.log(`\n${part.call.name}(${JSON.stringify(part.call.arguments)})`);
}
const { report, sources, ended } = await run.result();
console.log(`\n${report} from`, sources.map(({ url }) => url).join(", "), `(${ended})`);
