// Thinking, left to the model, forced, and switched off.   node examples/node/thinking.ts
import { loadModel } from "ruminate";

await using model = await loadModel();
const messages = [{ role: "user", content: "What is 47 + 85?" }] as const;

for (const reasoning of ["auto", "force", "off"] as const) {
  const { text, usage, reasoningEnd } = await model.chat(messages, { reasoning }).result();
  console.log(`${reasoning}: ${text} (${usage.reasoning} tokens thought, ended by: ${reasoningEnd})`);
}
// What the model is sent: the block is opened once, although this template opens one too.
console.log(await model.render(messages, { reasoning: "force" }));
