// OpenAI's API on Deno Deploy, and on Deno anywhere; README.md beside it says how to start it.
import { loadModel, type Model } from "ruminate";
import { createHandler } from "ruminate/openai";

const apiKey = Deno.env.get("API_KEY");
let loading: Promise<Model> | undefined;

async function load(): Promise<Model> {
  // One thread: an isolate has one core. Where there are no workers at all, the model runs in this very thread.
  const model = await loadModel(Deno.env.get("MODEL"), { threads: 1 });
  console.log(`loaded ${model.info.name}`);
  return model;
}

const handler = createHandler(() => (loading = load()), { ...(apiKey ? { apiKey } : {}), onerror: console.error });
const server = Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, handler);

// An isolate that is not wanted any more is told so; what is being answered may end.
Deno.addSignalListener("SIGINT", () => void server.shutdown());
await server.finished;
await (await loading)?.close();
Deno.exit();
