// The OpenAI-compatible server in workerd: the header `model` of its first request says where its model is.
import type { createHandler, HandlerOptions } from "../../../src/openai.ts";
import type { Sdk } from "../contract.ts";

// Found beside this module when it runs, and left alone when it is bundled.
const built = ["../../../dist/workerd.js", "../../../dist/openai.js"] as const;
let handler: Promise<(request: Request) => Promise<Response>> | undefined;

async function start(model: string): Promise<(request: Request) => Promise<Response>> {
  const { loadModel } = (await import(built[0])) as Sdk;
  const door = (await import(built[1])) as { createHandler: typeof createHandler };
  const options: HandlerOptions = { apiKey: "a key", maxQueue: 0 };
  return door.createHandler(await loadModel(model), options);
}

// oxlint-disable-next-line import/no-default-export -- that is what a Worker is
export default {
  async fetch(request: Request): Promise<Response> {
    handler ??= start(request.headers.get("model") ?? "");
    return (await handler)(request);
  },
};
