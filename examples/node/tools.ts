// A tool call and its result, round by round.   node examples/node/tools.ts
import { loadModel, type Message, type Tool } from "ruminate";

const search: Tool = {
  name: "search",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};
const facts: Record<string, string> = { "red boat": "red boat: owner Tom" };

await using model = await loadModel();
const messages: Message[] = [{ role: "user", content: "Who owns the red boat?" }];
for (let round = 0; round < 4; round++) {
  const { message, text, finishReason } = await model.chat(messages, { tools: [search] }).result();
  messages.push(message);
  if (finishReason !== "tool-calls") {
    console.log(text);
    break;
  }
  for (const call of message.toolCalls ?? []) {
    const { query } = call.arguments as { query: string };
    const result = facts[query] ?? "not found";
    console.log(`${call.name}(${JSON.stringify(query)}) -> ${result}`);
    messages.push({ role: "tool", toolCallId: call.id, content: result });
  }
}
