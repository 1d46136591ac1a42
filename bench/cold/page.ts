// In a page: times count from the beginning of its navigation.
import { coldStart } from "./first-token.ts";

const entry = new URL("../../dist/index.js", import.meta.url).href;
// It is our own build.
const { loadModel } = (await import(entry)) as typeof import("../../src/index.ts");
let first = 0;
const report = await coldStart(loadModel, undefined, () => (first = performance.now()));
console.log(JSON.stringify({ ...report, first }));
