// OpenAI's API on Cloudflare Workers, and on workerd alone; README.md beside it says how to start it.
import { env, waitUntil } from "cloudflare:workers";
import { loadModel, type Model } from "ruminate";
import { createHandler } from "ruminate/openai";

async function load(): Promise<Model> {
  const model = await loadModel(await env.MODELS.fetch(`http://models/${env.MODEL}`));
  console.log(`loaded ${model.info.name}`);
  return model;
}

const fetch = createHandler(
  () => {
    const loading = load();
    // Cloudflare stops what a request has begun when its client goes; the others want this load all the same.
    waitUntil(loading.catch(() => {}));
    return loading;
  },
  { ...(env.API_KEY ? { apiKey: env.API_KEY } : {}), onerror: console.error },
);

export default { fetch };
