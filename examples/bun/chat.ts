// bun examples/bun/chat.ts "What is 47 + 85?"
import { loadModel } from "ruminate";

await using model = await loadModel();
for await (const part of model.chat([{ role: "user", content: Bun.argv[2] ?? "What is 47 + 85?" }])) {
  if ("text" in part) await Bun.write(Bun.stdout, part.text);
}
console.log();
