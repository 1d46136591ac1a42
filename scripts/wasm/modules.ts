// What `npm run build:wasm` makes, and from what.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../command.ts";

/** One run of CMake: a kind of memory, with one or two sets of instructions. */
export interface BuildKind {
  readonly name: string;
  readonly address: 32 | 64;
  readonly threads: boolean;
  /** Flavour of SIMD, and the name of the file that it becomes. */
  readonly modules: Readonly<Record<string, string>>;
  /** Whether the kernels' own tests are built with it. */
  readonly tests: boolean;
}

// Every engine with 64-bit memory has relaxed SIMD and threads: one module serves them all.
export const kinds: readonly BuildKind[] = [
  {
    name: "32-bit",
    address: 32,
    threads: false,
    modules: { relaxed: "ruminate-32.wasm", fixed: "ruminate-32-fixed.wasm" },
    tests: true,
  },
  {
    name: "32-bit with threads",
    address: 32,
    threads: true,
    modules: { relaxed: "ruminate-32-threads.wasm", fixed: "ruminate-32-threads-fixed.wasm" },
    tests: false,
  },
  {
    name: "64-bit with threads",
    address: 64,
    threads: true,
    modules: { relaxed: "ruminate-64-threads.wasm" },
    tests: false,
  },
];

export const wasmFolder: string = join(root, "wasm");
export const distFolder: string = join(wasmFolder, "dist");

/** The package whose git bundle holds llama.cpp's source. */
const sourcePackage = join(root, "node_modules", "node-llama-cpp");
export const sourceBundle: string = join(sourcePackage, "llama", "gitRelease.bundle");

/** llama.cpp's release, by the package that ships it. */
export function sourceRelease(): { readonly release: string; readonly shippedBy: string; readonly sha256: string } {
  const { release } = JSON.parse(readFileSync(join(sourcePackage, "llama", "binariesGithubRelease.json"), "utf8")) as {
    release: string;
  };
  const { version } = JSON.parse(readFileSync(join(sourcePackage, "package.json"), "utf8")) as { version: string };
  return { release, shippedBy: `node-llama-cpp ${version}`, sha256: sha256(readFileSync(sourceBundle)) };
}

/** Hash of everything that the modules are made of, but for the compiler. */
export function inputsHash(): string {
  const digest = createHash("sha256").update(sourceRelease().sha256);
  for (const folder of [wasmFolder, join(root, "scripts", "wasm")]) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.startsWith(distFolder))
      .sort();
    for (const file of files) digest.update(`${file.slice(root.length)}\0`).update(readFileSync(file));
  }
  return digest.digest("hex");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
