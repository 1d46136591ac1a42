import { equal, failure, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { answer, question, user } from "./ask.ts";

/** The parts of a chat completion that are looked at, whole or one chunk of it. */
interface Completion {
  readonly choices: readonly { readonly message?: Reply; readonly delta?: Reply }[];
}
interface Reply {
  readonly content?: string | null;
  readonly reasoning_content?: string;
}

/** The data of server-sent events. */
const dataOf = (events: string): readonly string[] =>
  [...events.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => data);

/** What is built on a loaded model and has an entry of its own in the package. */
export const doors: readonly ConformanceCase[] = [
  {
    name: "ruminate/openai: a handler answers a Request, whole and streamed",
    async run(_, { model, doors }) {
      const { openai } = await doors();
      const handler = openai.createHandler(await model(), { modelId: "nano" });
      const ask = (body: object): Promise<Response> =>
        handler(
          new Request("http://localhost/v1/chat/completions", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ messages: user(question), temperature: 0, max_tokens: 160, ...body }),
          }),
        );
      const whole = await ask({});
      equal(whole.status, 200, "status");
      // Their shape is what is tested.
      const message = ((await whole.json()) as Completion).choices[0]?.message;
      equal(message?.content, answer, "content");
      const streamed = await ask({ stream: true });
      ok(streamed.headers.get("content-type")?.startsWith("text/event-stream"), "the stream should be of events");
      const data = dataOf(await streamed.text());
      equal(data.at(-1), "[DONE]", "the last event");
      const deltas = data.slice(0, -1).map((event) => (JSON.parse(event) as Completion).choices[0]?.delta);
      equal(deltas.map((delta) => delta?.content ?? "").join(""), answer, "content, streamed");
      const thoughts = deltas.map((delta) => delta?.reasoning_content ?? "").join("");
      ok(thoughts.length > 0, "no thoughts were streamed");
      equal(thoughts, message?.reasoning_content, "reasoning_content");
      const refused = await ask({ messages: "not a list" });
      equal(refused.status, 400, "status of a wrong request");
      ok((await refused.text()).includes('"messages"'), "the refusal should name the field");
    },
  },
  {
    name: "ruminate/ai-sdk: doGenerate() and doStream() give thoughts and answer",
    async run(_, { model, doors }) {
      const { aiSdk } = await doors();
      const languageModel = aiSdk.ruminate(await model());
      const content = [{ type: "text" as const, text: question }];
      const call = { prompt: [{ role: "user" as const, content }], temperature: 0, maxOutputTokens: 160 };
      const whole = await languageModel.doGenerate(call);
      const said = whole.content.map((part) => [part.type, "text" in part ? part.text : undefined]);
      equal(
        said.map(([type]) => type),
        ["reasoning", "text"],
        "what doGenerate() gives",
      );
      equal(said[1]?.[1], answer, "text");
      equal(whole.finishReason.unified, "stop", "finishReason");
      const { stream } = await languageModel.doStream(call);
      const reader = stream.getReader();
      const types = new Set<string>();
      const deltas = { reasoning: "", text: "" };
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const part = read.value;
        types.add(part.type);
        if (part.type === "text-delta") deltas.text += part.delta;
        if (part.type === "reasoning-delta") deltas.reasoning += part.delta;
      }
      equal([deltas.reasoning, deltas.text], [said[0]?.[1], answer], "the deltas");
      equal([[...types][0], [...types].at(-1)], ["stream-start", "finish"], "the first part and the last");
      const wrong = await failure(() => languageModel.doGenerate({ ...call, temperature: -1 }), "temperature -1");
      ok(wrong instanceof RangeError, `got ${String(wrong)}, expected RangeError`);
    },
  },
];
