// OpenAI's API on Bun: PORT=8080 API_KEY=secret bun server.ts. Ctrl-C lets what is being answered end; twice, it does not.
import { loadModel, type Model } from "ruminate";
import { createHandler } from "ruminate/openai";

const { API_KEY: apiKey, HOST: hostname = "127.0.0.1", MODEL: source, PORT: port = "8080" } = process.env;
let loading: Promise<Model> | undefined;

async function load(): Promise<Model> {
  const model = await loadModel(source);
  console.log(`loaded ${model.info.name}`);
  return model;
}

const server = Bun.serve({
  hostname,
  port,
  // Bun hangs up after ten seconds of silence, and a long prompt takes longer to begin its answer; seconds, the most it takes.
  idleTimeout: 255,
  fetch: createHandler(() => (loading = load()), { ...(apiKey ? { apiKey } : {}), onerror: console.error }),
});
console.log(`listening on ${server.url}`);

let stops = 0;
async function stop(): Promise<void> {
  stops += 1;
  await server.stop(stops > 1);
  await (await loading)?.close();
  process.exit();
}
process.on("SIGINT", stop).on("SIGTERM", stop);
