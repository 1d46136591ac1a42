// The model calls a tool, twice, and answers from the results.   node examples/node/tools.ts
import { loadModel, type Message, type Tool } from "ruminate";

const search: Tool = {
  name: "search",
  description: "Search for a fact",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};
const facts: Record<string, string> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };

await using model = await loadModel();
const messages: Message[] = [{ role: "user", content: "Who is the friend of the owner of the fast boat?" }];
for (let turn = 0; turn < 5; turn++) {
  const { message, text } = await model.chat(messages, { tools: [search] }).result();
  messages.push(message);
  if (!message.toolCalls) {
    console.log(text);
    break;
  }
  for (const { id, name, arguments: given } of message.toolCalls) {
    const { query } = given as { query: string };
    console.log(`${name}(${JSON.stringify(query)})`);
    messages.push({ role: "tool", toolCallId: id, content: facts[query] ?? "not found" });
  }
}
