// Streams a reasoning model's thoughts and answer.   node examples/node/chat.ts "What is 47 + 85?"
import { loadModel } from "ruminate";

// Without a source: the small model of the package. Or a path, a URL, or { hf: "owner/repo", quant: "Q4_K_M" }.
await using model = await loadModel();
const question = process.argv[2] ?? "What is 47 + 85?";
for await (const part of model.chat([{ role: "user", content: question }])) {
  if (part.type === "reasoning") process.stdout.write(`\u001b[2m${part.text}\u001b[22m`);
  if (part.type === "text") process.stdout.write(part.text);
  if (part.type === "finish") console.log(`\n${part.result.timings.tokensPerSecond.toFixed(0)} tokens/s`);
}
