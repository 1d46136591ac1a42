// Loading: from any source, with progress, and stopped when it takes too long.   node examples/node/load.ts
import { readFile } from "node:fs/promises";
import { InferenceError, loadModel } from "ruminate";

// A path, a URL, a Request, a Response, a Blob, bytes, a stream, { hf: "owner/repo", quant: "Q4_K_M" }, or an array of shards.
const file = new URL("../../models/ruminate-nano-q8_0.gguf", import.meta.url);
await using model = await loadModel(await readFile(file), {
  signal: AbortSignal.timeout(60_000),
  onprogress: ({ phase, loaded, total }) => {
    if (loaded === total) console.log(`${phase}: ${loaded} bytes`);
  },
});
console.log(model.info.name, model.info.architecture, model.info.contextTrained, "tokens");

try {
  await loadModel(new Blob(["not a model at all"]));
} catch (error) {
  if (InferenceError.is(error, "format")) console.log(error.message);
  else throw error;
}
