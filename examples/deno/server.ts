// The model as an OpenAI-compatible server, asked one question by fetch.   deno run -A examples/deno/server.ts
import { loadModel } from "../../dist/index.js";
import { createHandler } from "../../dist/openai.js";

await using model = await loadModel();
const handler = createHandler(model, { apiKey: "secret" });
await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);

const response = await fetch(`http://127.0.0.1:${server.addr.port}/v1/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Bearer secret" },
  body: JSON.stringify({ messages: [{ role: "user", content: "What is 47 + 85?" }], stream: true }),
});
const answer = { reasoning_content: "", content: "" };
let rest = "";
for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
  const events = (rest + text).split("\n\n");
  rest = events.pop() ?? "";
  for (const event of events) {
    if (!event.startsWith("data: {")) continue;
    const { delta } = JSON.parse(event.slice("data: ".length)).choices[0];
    answer.reasoning_content += delta.reasoning_content ?? "";
    answer.content += delta.content ?? "";
  }
}
console.log(answer);
