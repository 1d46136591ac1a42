// In Node, Deno and Bun: says "first" at the first token, then what it took.
import { coldStart } from "./first-token.ts";

const [entry] = process.argv.slice(2);
if (entry === undefined) throw new Error("The package's entry is wanted");
// It is our own build.
const { loadModel } = (await import(entry)) as typeof import("../../src/index.ts");
const report = await coldStart(loadModel, undefined, () => console.log("first"));
console.log(JSON.stringify(report));
