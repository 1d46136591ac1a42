// Every public symbol and each of its members has a sentence, and every type that one mentions is public too.
// Not src/ai-sdk.ts: it gives types of another package, whose members are not ours to document.
import { run } from "./command.ts";

const { code, output } = await run([
  "deno",
  "doc",
  "--lint",
  "src/index.ts",
  "src/reasoning/index.ts",
  "src/openai.ts",
]);
console.log(code === 0 ? "every public symbol and member is documented" : output.trimEnd());
process.exitCode = code;
