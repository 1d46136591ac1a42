// Run by unbuilt.test.ts in Node, Deno and Bun: the sources themselves, with nothing built.
import { loadModel } from "../../src/index.ts";
import { splitReasoning } from "../../src/reasoning/index.ts";

const model = await loadModel();
try {
  const { text, reasoning, usage } = await model
    .chat([{ role: "user", content: "What is 47 + 85?" }], { maxTokens: 24, temperature: 0, reasoning: "force" })
    .result();
  console.log(
    JSON.stringify({ spoke: (text + reasoning).length > 0, prompt: usage.prompt, split: splitReasoning("a").text }),
  );
} finally {
  await model.close();
}
