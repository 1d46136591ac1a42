import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { BuildPlugin } from "./plugin.ts";

/** One `new URL(…, import.meta.url)` literal: where it stands in the source, and what it must say in `dist`. */
interface PathRewrite {
  /** Source file that must hold the literal; null: at least one file under `src`. */
  readonly file: string | null;
  readonly from: string;
  readonly to: string;
}

const modules = [
  "ruminate-64-threads.wasm",
  "ruminate-32-threads.wasm",
  "ruminate-32-threads-fixed.wasm",
  "ruminate-32.wasm",
  "ruminate-32-fixed.wasm",
];
/** Built by `npm run build:wasm`, and packed where they are. */
const wasmFolder = "../wasm/dist/";
const rewrites: readonly PathRewrite[] = [
  { file: null, from: "../worker/wllama-worker.ts", to: "./wllama-worker.js" },
  { file: null, from: "../worker/llama-worker.ts", to: "./llama-worker.js" },
  ...modules.map((name) => ({
    file: "src/engine/llama-assets.ts",
    from: `../../wasm/dist/${name}`,
    to: `${wasmFolder}${name}`,
  })),
  {
    file: "src/engine/wllama-assets.ts",
    from: "../../node_modules/@wllama/wllama-compat/wasm/wllama.js",
    to: "./wllama-compat/wllama.js",
  },
  {
    file: "src/api/bundled-model.ts",
    from: "../../models/ruminate-nano-q8_0.gguf",
    to: "../models/ruminate-nano-q8_0.gguf",
  },
];

const literal = (path: string): string => `new URL("${path}", import.meta.url)`;

export interface DistPaths {
  readonly plugin: BuildPlugin;
  /** @throws {Error} when a rewrite found no literal, or when `dist` still names a source file. */
  verify(dist: string): void;
}

/** Rewrites exactly the known literals, since `dist` is flat and holds its own copies of what they name. */
export function distPaths(root: string): DistPaths {
  const matched = new Set<PathRewrite>();
  const plugin: BuildPlugin = {
    name: "dist-paths",
    setup(build) {
      build.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, ({ path }) => {
        const file = relative(root, path).replaceAll("\\", "/");
        if (!file.startsWith("src/")) return undefined;
        let contents = readFileSync(path, "utf8");
        for (const rewrite of rewrites) {
          if (rewrite.file !== null && rewrite.file !== file) continue;
          if (!contents.includes(literal(rewrite.from))) continue;
          contents = contents.replaceAll(literal(rewrite.from), literal(rewrite.to));
          matched.add(rewrite);
        }
        return { contents, loader: "ts" };
      });
    },
  };
  return {
    plugin,
    verify(dist) {
      const problems = rewrites
        .filter((rewrite) => !matched.has(rewrite))
        .map(({ file, from }) => `${file ?? "src"} must hold exactly ${literal(from)}; it was not found`);
      for (const name of readdirSync(dist).filter((entry) => entry.endsWith(".js"))) {
        for (const [whole, path] of readFileSync(join(dist, name), "utf8").matchAll(
          /new URL\(\s*["'`]([^"'`]*)["'`]\s*,\s*import\.meta\.url\s*\)/g,
        )) {
          // Without a compiler the modules are missing; wllama runs then, where it is installed.
          if (path === undefined || path.startsWith(wasmFolder) || existsSync(join(dist, path))) continue;
          problems.push(`dist/${name} holds ${whole}, and dist/${path} does not exist`);
        }
      }
      if (problems.length > 0) throw new Error(`Cannot finish the build:\n  ${problems.join("\n  ")}`);
    },
  };
}
