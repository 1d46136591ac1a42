// A program as a user writes it, which ends by itself or proves that the package keeps it alive. Arguments: the address
// of the package, and what to do last.
import type { Sdk } from "../contract.ts";

const [sdkUrl = "", ending = ""] = process.argv.slice(2);
// The type of a module that is found at run time can't be inferred.
const { loadModel } = (await import(sdkUrl)) as Sdk;
const model = await loadModel(undefined, { threads: Number(process.argv[4]) });
const run = model.chat([{ role: "user", content: "What is 47 + 85?" }], { temperature: 0, maxTokens: 160 });
if (ending === "left") {
  for await (const part of run) if (part.type === "reasoning") break;
} else if ((await run.result()).text !== "132") {
  throw new Error("The answer is wrong");
}
if (ending === "closed") await model.close();
console.log("done");
