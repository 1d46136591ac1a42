// Free thoughts, then an answer that follows a JSON schema.   node examples/node/json.ts
import { loadModel } from "ruminate";

await using model = await loadModel();
const schema = { type: "object", properties: { sum: { type: "integer" } }, required: ["sum"] };
const { reasoning, text } = await model
  .chat([{ role: "user", content: "What is 47 + 85?" }], { format: { type: "json", schema } })
  .result();
console.log(reasoning);
console.log(JSON.parse(text));
