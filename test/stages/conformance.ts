import type { Stage } from "./stage.ts";

/** The same cases in every runtime. */
export const conformanceStage: Stage = {
  name: "conformance",
  what: "the same cases in Node 24, Deno, Bun, Chromium and Firefox, with one thread and with two",
  async run() {
    // Loaded late, so that the other stages run where the browsers' drivers can't be loaded.
    const { runConformance } = await import("../conformance/run.ts");
    const { passed, failed, lines } = await runConformance();
    for (const line of lines) console.log(line);
    return { passed, failed };
  },
};
