// Prints what native llama.cpp makes of texts, as JSON: node native.ts rank|embed <model> <text>…
import { getLlama } from "node-llama-cpp";

const [kind, modelPath, ...texts] = process.argv.slice(2);
if (modelPath === undefined) throw new Error("A model is wanted");
const llama = await getLlama({ build: "never", gpu: false, logger: () => undefined });
const model = await llama.loadModel({ modelPath });
if (kind === "rank") {
  const [query = "", ...documents] = texts;
  const context = await model.createRankingContext({ threads: 1 });
  console.log(JSON.stringify(await context.rankAll(query, documents)));
} else {
  const context = await model.createEmbeddingContext({ threads: 1 });
  const vectors: (readonly number[])[] = [];
  for (const text of texts) vectors.push((await context.getEmbeddingFor(text)).vector);
  console.log(JSON.stringify(vectors));
}
await llama.dispose();
