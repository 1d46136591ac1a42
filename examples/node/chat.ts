// Streams a reasoning model's thoughts and answer.   node examples/node/chat.ts "What is 47 + 85?"
import { loadModel } from "ruminate";

const question = process.argv[2] ?? "What is 47 + 85?";
// Without a source: the small model of the package. Or a path, a URL, or { hf: "owner/repo", quant: "Q4_K_M" }.
await using model = await loadModel();
for await (const part of model.chat([{ role: "user", content: question }])) {
  if (part.type === "reasoning") process.stderr.write(part.text);
  if (part.type === "text") process.stdout.write(part.text);
  if (part.type === "finish") {
    const { usage, timings } = part.result;
    console.error(`\n${usage.reasoning} tokens thought, ${timings.tokensPerSecond.toFixed(0)} tokens/s`);
  }
}
console.log();
