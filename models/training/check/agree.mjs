// Answers of llama.cpp with their logits, for `python3 -m nano.reference agree`.
// usage: node check/agree.mjs MODEL.gguf OUT.json
import { writeFileSync } from "node:fs";
import { openModel } from "./native.mjs";

const [modelPath, out] = process.argv.slice(2);
const questions = [
  "Hello",
  "What is 3478 + 958?",
  "Reverse the word candle.",
  "Which is larger, 4821 or 4812?",
  "你好",
  "What is 23 * 47?",
  "How many r are in strawberry?",
  "Tom has 24 apples. He buys 17 more. How many apples does Tom have now?",
  "  weird   spacing\n\n\ttabs & émojis 🙂 don't 12345 １２３ ½ ..!?",
  "足し算",
];
const { model, sequences, render, complete } = await openModel(modelPath);
const [sequence] = sequences;
const results = [];
for (const question of questions) {
  const prompt = render([{ role: "user", content: question }]);
  const ids = model.tokenize(prompt, true);
  await sequence.clearHistory();
  const last = ids.length - 1;
  const evaluated = await sequence.controlledEvaluate(
    ids.map((id, i) => (i === last ? [id, { generateNext: { logits: true } }] : id)),
  );
  const logits = [...evaluated[last].next.logits].toSorted(([a], [b]) => a - b).map(([, value]) => value);
  const { tokens, text } = await complete(sequence, prompt, 120);
  results.push({ prompt, ids: [...ids], generated: [...tokens], text, logits });
  console.log(JSON.stringify(question), "->", JSON.stringify(text.split("</think>").at(-1).trim()));
}
writeFileSync(out, JSON.stringify(results));
process.exit(0);
