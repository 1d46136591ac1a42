// The AI SDK (the package "ai") over a model in this process: a tool loop, then an object.   node examples/node/ai-sdk.ts
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { loadModel } from "ruminate";
import { ruminate } from "ruminate/ai-sdk";

await using model = await loadModel();

const facts: Record<string, string> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };
const search = tool({
  description: "Search for a fact",
  inputSchema: jsonSchema<{ query: string }>({
    type: "object",
    properties: { query: { type: "string" } },
    required: ["query"],
  }),
  execute: ({ query }) => facts[query] ?? "not found",
});
const { fullStream } = streamText({
  model: ruminate(model),
  prompt: "Who is the friend of the owner of the fast boat?",
  tools: { search },
  stopWhen: stepCountIs(5),
});
for await (const part of fullStream) {
  if (part.type === "tool-result") console.log(part.input, "->", part.output);
  if (part.type === "text-delta") process.stdout.write(part.text);
  if (part.type === "finish") console.log(` (${part.totalUsage.outputTokens} tokens)`);
}

const schema = jsonSchema<{ sum: number }>({
  type: "object",
  properties: { sum: { type: "integer" } },
  required: ["sum"],
});
const { output, usage } = await generateText({
  model: ruminate(model),
  prompt: "What is 47 + 85?",
  output: Output.object({ schema }),
  providerOptions: { ruminate: { thinkingBudget: 100 } },
});
console.log(output, `${usage.outputTokenDetails.reasoningTokens} tokens of thought`);
