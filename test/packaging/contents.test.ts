import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/command.ts";
import { pack, type Tarball } from "./tarball.ts";

const folder = mkdtempSync(join(tmpdir(), "ruminate-pack-"));
let tarball: Tarball;
let paths: readonly string[];

beforeAll(async () => {
  tarball = await pack(folder);
  paths = tarball.files.map((file) => file.path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dist = (name: string): string => readFileSync(join(root, "dist", name), "utf8");
const scripts = (): readonly string[] =>
  paths.filter((path) => /^dist\/[^/]+\.js$/.test(path)).map((path) => path.slice("dist/".length));

/** A script of dist and every other that it imports, however far. */
function reachableFrom(name: string, seen: readonly string[] = []): readonly string[] {
  if (seen.includes(name)) return seen;
  const imports = [...dist(name).matchAll(/^(?:import|export|\}) ?[^;"]*"\.\/([^"]+)";$/gm)].map(
    ([, path]) => path ?? "",
  );
  return imports.reduce<readonly string[]>((all, path) => reachableFrom(path, all), [...seen, name]);
}

describe("the tarball", () => {
  test("holds what the package needs, and nothing that has no business there", () => {
    const allowed = [
      /^dist\/[\w-]+\.(js|d\.ts)$/,
      /^dist\/wllama-compat\/wllama\.js$/,
      /^dist\/THIRD_PARTY_NOTICES\.txt$/,
      /^wasm\/dist\/(ruminate-(32|64)(-threads)?(-fixed)?\.wasm|build\.json)$/,
      /^models\/(ruminate-nano-q8_0\.gguf|README\.md)$/,
      /^(package\.json|LICENSE|README\.md|CHANGELOG\.md)$/,
    ];
    expect(paths.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "dist/THIRD_PARTY_NOTICES.txt",
        "dist/ai-sdk.d.ts",
        "dist/ai-sdk.js",
        "dist/cli.js",
        "dist/index.d.ts",
        "dist/index.js",
        "dist/llama-worker.js",
        "dist/openai.d.ts",
        "dist/openai.js",
        "dist/reasoning.d.ts",
        "dist/reasoning.js",
        "dist/wllama-compat/wllama.js",
        "dist/wllama-worker.js",
        "dist/workerd.js",
        "models/README.md",
        "models/ruminate-nano-q8_0.gguf",
        "package.json",
        "wasm/dist/build.json",
        "wasm/dist/ruminate-32-fixed.wasm",
        "wasm/dist/ruminate-32-threads-fixed.wasm",
        "wasm/dist/ruminate-32-threads.wasm",
        "wasm/dist/ruminate-32.wasm",
        "wasm/dist/ruminate-64-threads.wasm",
      ]),
    );
  });

  test("is no larger than its engines and its model explain", () => {
    expect(tarball.size).toBeLessThan(10_000_000);
    expect(tarball.unpackedSize).toBeLessThan(26_000_000);
  });

  test("marks the command line as a program", () => {
    expect(dist("cli.js").startsWith("#!/usr/bin/env node\n")).toBe(true);
    expect(tarball.files.find((file) => file.path === "dist/cli.js")?.mode).toBe(0o755);
  });
});

describe("dist", () => {
  test("imports nothing by name, so that it runs without an import map", () => {
    const bare = scripts().flatMap((name) =>
      [...dist(name).matchAll(/^\s*(?:import|export)\b[^;"'`]*?["']([^"'.][^"']*)["'];?$/gm)]
        .map(([, specifier]) => specifier)
        // The command line runs under node alone; its argument parser asks for these.
        .filter((specifier) => name !== "cli.js" || !(specifier ?? "").startsWith("node:"))
        .map((specifier) => `${name}: ${specifier}`),
    );
    expect(bare).toEqual([]);
  });

  test("ships each worker as one file", () => {
    const imports = /^\s*(?:import|export)\b[^;"'`]*?["'](\.[^"']*)["']/m;
    for (const name of ["llama-worker.js", "wllama-worker.js"]) expect(imports.exec(dist(name))).toBeNull();
  });

  test("gives ruminate/reasoning without an engine: a few kB, and nothing that starts a worker", () => {
    const text = reachableFrom("reasoning.js").map(dist).join("\n");
    expect(brotliCompressSync(text).length).toBeLessThan(6000);
    expect(text).not.toMatch(/Worker\(|WebAssembly|import\.meta/);
  });

  test("names no file of the checkout", () => {
    const named = /["'`][^"'`\n]*node_modules\/|new URL\("[^"]*\.ts"/;
    const leaks = scripts().filter((name) => named.test(dist(name)) || dist(name).includes(root));
    expect(leaks).toEqual([]);
  });

  test("carries the licence of each thing in it", () => {
    const notices = dist("THIRD_PARTY_NOTICES.txt");
    for (const name of ["@huggingface/jinja", "@wllama/wllama", "@wllama/wllama-compat", "commander"]) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)$`, "m"));
    }
    expect(notices).toContain("The ggml authors");
  });
});
