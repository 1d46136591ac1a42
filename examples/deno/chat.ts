// deno run -A examples/deno/chat.ts "What is 47 + 85?"
import { loadModel } from "../../dist/index.js";

await using model = await loadModel();
for await (const part of model.chat([{ role: "user", content: Deno.args[0] ?? "What is 47 + 85?" }])) {
  if ("text" in part) await Deno.stdout.write(new TextEncoder().encode(part.text));
}
console.log();
