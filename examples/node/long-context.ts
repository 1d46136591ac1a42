// A text longer than the model was trained for: YaRN by itself, and only then.   node examples/node/long-context.ts
import { loadModel, planContext } from "ruminate";

await using model = await loadModel();
const dull = "The small dog sees the old boat. The quiet lake meets the tall tree. ".repeat(50);
const content = `${dull}The code of maple is 4173. The green bird hears the warm house. What is the code of maple?`;

const { text, usage } = await model.chat([{ role: "user", content }], { maxTokens: 60 }).result();
console.log(`${usage.prompt} tokens, trained for ${model.info.contextTrained}: ${text}`);

// The rule behind it, for GLM-Z1's numbers.
console.log(planContext({ inputTokens: 2_000, recommended: 30_000, trained: 32_768 }));
console.log(planContext({ inputTokens: 40_000, recommended: 30_000, trained: 32_768 }));
