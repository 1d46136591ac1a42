import type { Message, Tool } from "../../../src/index.ts";
import { equal, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { collect, greedy, user } from "./ask.ts";

const search = {
  name: "search",
  description: "Look up a fact",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
} satisfies Tool;

const facts: Readonly<Record<string, string>> = { "fast boat": "fast boat: owner Ned", Ned: "Ned: friend Dora" };

/** A tool that knows the facts, and what it was asked for. */
function lookUp(): { tool: Tool<{ query: string }>; asked: readonly string[] } {
  const asked: string[] = [];
  const execute = ({ query }: { query: string }): string => {
    asked.push(query);
    return facts[query] ?? "not found";
  };
  return { tool: { ...search, execute }, asked };
}

/** What a model says after as many results of tools as stand before it: a call that is wrong, a right one, an answer. */
const script = [
  'I look.\n</think>\nsearch\n{"query": 42}',
  'A text, then.\n</think>\nsearch\n{"query": "fast boat"}',
  "There.\n</think>\nNed",
];

/** A completion server that follows the script, and the prompts that it was sent. */
function scriptedServer(): { fetch: typeof fetch; prompts: readonly string[] } {
  const prompts: string[] = [];
  const answer = async (request: Request): Promise<Response> => {
    if (request.url.endsWith("/v1/models")) return Response.json({ data: [{ id: "scripted", max_model_len: 2048 }] });
    if (!request.url.endsWith("/v1/completions")) return new Response(null, { status: 404 });
    // The engine's own request.
    const { prompt } = (await request.json()) as { prompt: string };
    prompts.push(prompt);
    const text = script[prompt.split("<|observation|>").length - 1];
    const events = [{ text }, { text: "", finish_reason: "stop" }].map((choice) =>
      JSON.stringify({ choices: [choice] }),
    );
    return new Response([...events, "[DONE]"].map((event) => `data: ${event}\n\n`).join(""));
  };
  // The types of Bun give fetch more than a call.
  const fetch = ((...request: ConstructorParameters<typeof Request>) =>
    answer(new Request(...request))) as typeof globalThis.fetch;
  return { fetch, prompts };
}

/** Tools that the caller runs, and tools that are run for it. */
export const tools: readonly ConformanceCase[] = [
  {
    name: "chat() hands the call of a tool to the caller, and takes the result as a message",
    async run(_, { model }) {
      const nano = await model();
      const messages = user("Who is the owner of the red boat?");
      const options = { ...greedy, tools: [search] };
      const { finishReason, message } = await nano.chat(messages, options).result();
      equal(finishReason, "tool-calls", "finishReason");
      const call = message.toolCalls?.[0];
      ok(call, "no call in the message");
      equal([call.name, call.arguments], ["search", { query: "red boat" }], "the call");
      const reply: Message = { role: "tool", toolCallId: call.id, content: "red boat: owner Anna" };
      equal((await nano.chat([...messages, message, reply], options).result()).text, "Anna", "text");
    },
  },
  {
    name: "chat() runs the tools that the model calls, in as many steps as it takes",
    async run(_, { model }) {
      const { tool, asked } = lookUp();
      const messages = user("Who is the friend of the owner of the fast boat?");
      const { parts, result } = await collect((await model()).chat(messages, { ...greedy, tools: [tool] }));
      equal(asked, ["fast boat", "Ned"], "what the tool was asked");
      equal(
        parts.flatMap((part) => (part.type === "tool-result" ? [part.result] : [])),
        ["fast boat: owner Ned", "Ned: friend Dora"],
        "the results among the parts",
      );
      equal([result.text, result.finishReason], ["Dora", "stop"], "the answer");
      const roles = result.toolMessages?.map(({ role }) => role);
      equal(roles, ["assistant", "tool", "assistant", "tool"], "toolMessages");
    },
  },
  {
    name: "chat() gives a call whose arguments do not fit back to the model, and runs the better one",
    async run(sdk, { urls }) {
      const server = scriptedServer();
      const engine = sdk.remote({ baseURL: "http://scripted.invalid/v1", fetch: server.fetch });
      const model = await sdk.loadModel(urls.model, { engine });
      try {
        const { tool, asked } = lookUp();
        const { parts, result } = await collect(model.chat(user("Who owns the fast boat?"), { tools: [tool] }));
        equal(asked, ["fast boat"], "what the tool was asked");
        equal(result.text, "Ned", "text");
        const problem = "The arguments of search do not fit its schema";
        const given = parts.find((part) => part.type === "tool-result");
        ok(
          JSON.stringify(given).includes(problem),
          `the first result should say what is wrong: ${JSON.stringify(given)}`,
        );
        ok(server.prompts[1]?.includes(problem), `the model should be told: ${server.prompts[1]}`);
      } finally {
        await model.close();
      }
    },
  },
];
