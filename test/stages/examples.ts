import { readdirSync } from "node:fs";
import { join } from "node:path";
import { indent, root, run } from "../../scripts/command.ts";
import { isShownAs, shownExamples } from "../../scripts/readme.ts";
import type { Stage } from "./stage.ts";

const commands: Readonly<Record<string, (file: string) => [string, ...string[]]>> = {
  node: (file) => ["node", file],
  deno: (file) => ["deno", "run", "--allow-all", file],
  bun: (file) => ["bun", file],
};

/** Each example in its own runtime, as its reader would run it. The pages and the servers are packaging tests. */
export const examplesStage: Stage = {
  name: "examples",
  what: "examples/node, examples/deno and examples/bun run to their end, and say what the README shows",
  async run() {
    let passed = 0;
    let failed = 0;
    const shown = new Set(shownExamples());
    if (shown.size === 0) throw new Error("Cannot compare the examples with the README: it shows none");
    for (const [runtime, command] of Object.entries(commands)) {
      const folder = join("examples", runtime);
      const files = readdirSync(join(root, folder)).filter((name) => /\.(ts|js|mjs)$/.test(name));
      if (files.length === 0) throw new Error(`Cannot run the examples for ${runtime}: ${folder} has no script`);
      for (const file of files) {
        const path = join(folder, file);
        const { code, output, stdout, seconds } = await run(command(path), { timeoutMs: 300_000 });
        const isStale = shown.has(path) && !isShownAs(path, stdout);
        const good = code === 0 && stdout.trim() !== "" && !isStale;
        if (good) passed++;
        else failed++;
        console.log(`${good ? "ok  " : "FAIL"}  ${path} ${seconds.toFixed(1)} s`);
        if (!good) console.log(indent(`exit code ${code}\n${output}`));
        if (isStale) console.log(indent('README.md shows something else; "npm run readme" puts today\'s there'));
        shown.delete(path);
      }
    }
    if (shown.size > 0) throw new Error(`README.md shows ${[...shown].join(", ")}, which nothing ran`);
    return { passed, failed };
  },
};
