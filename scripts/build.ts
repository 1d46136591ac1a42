// Builds dist: the library (shared chunks at its root), each worker as one self-contained file, declarations, and
// copies of the WebAssembly assets. Everything is bundled, so that plain dist files work in a browser without an
// import map, and the package has no run-time dependency.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Options } from "tsup";
import { distPaths } from "./build/dist-paths.ts";
import { isFresh, markFresh } from "./build/freshness.ts";
import { thirdPartyNotices } from "./build/notices.ts";

const root = dirname(import.meta.dirname);
const dist = join(root, "dist");

/** What users import, each with its declarations. */
const doors: Readonly<Record<string, string>> = {
  index: "src/index.ts",
  reasoning: "src/reasoning/index.ts",
  "ai-sdk": "src/ai-sdk.ts",
  workerd: "src/workerd.ts",
  openai: "src/openai.ts",
};
// Not wllama's WebAssembly: its packages are optional peers.
const assets: Readonly<Record<string, string>> = {
  "node_modules/@wllama/wllama-compat/wasm/wllama.js": "wllama-compat/wllama.js",
};

async function buildDist(): Promise<void> {
  const paths = distPaths(root);
  const notices = thirdPartyNotices(root);
  const shared: Options = {
    config: false,
    silent: true,
    outDir: dist,
    format: "esm",
    target: "es2024",
    // "browser" takes the host-free variant of each dependency; node: specifiers are reached at run time only.
    platform: "browser",
    // A WebAssembly file is imported by workerd itself; from dist, by the same path as from src.
    external: [/^node:/, /\.wasm$/],
    noExternal: [/^(?!node:)(?!.*\.wasm$)/],
    // "events" alone is a package to Deno.
    removeNodeProtocol: false,
    esbuildPlugins: [paths.plugin, notices.plugin],
  };
  rmSync(dist, { recursive: true, force: true });
  await build({
    ...shared,
    entry: { ...doors, cli: "src/cli/main.ts" },
    splitting: true,
    dts: { entry: doors },
  });
  for (const name of ["wllama-worker", "llama-worker"]) {
    await build({ ...shared, entry: { [name]: `src/worker/${name}.ts` }, splitting: false, minify: true });
  }
  for (const [from, to] of Object.entries(assets)) {
    mkdirSync(dirname(join(dist, to)), { recursive: true });
    copyFileSync(join(root, from), join(dist, to));
  }
  writeFileSync(join(dist, "THIRD_PARTY_NOTICES.txt"), notices.render());
  chmodSync(join(dist, "cli.js"), 0o755);
  paths.verify(dist);
}

const startedAt = performance.now();
if (process.argv.includes("--if-stale") && existsSync(dist) && isFresh(root)) {
  console.log("dist is fresh");
} else {
  try {
    await buildDist();
    markFresh(root);
    console.log(`built dist in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
