// What is measured, and whether this machine can.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Job } from "./contract.ts";

export interface Subject {
  readonly id: string;
  readonly label: string;
  readonly family: "ours" | "wllama" | "native";
  readonly runtime: "node" | "deno" | "bun" | "chromium" | "firefox";
  readonly load: Job["load"];
  /** Native alone: whether llama.cpp is kept to what AVX2 can do. */
  readonly avx2?: boolean;
}

const root = new URL("../../", import.meta.url);
const wasm32 = { engine: "llama", memory: "wasm32" } as const;
const wasm64 = { engine: "llama", memory: "wasm64" } as const;
const wllama = { engine: "wllama" } as const;

/** The one that stands for all of ours in short tables, and what ratios are taken to. */
export const mainSubject = "ours-node";
export const references = { wllama: "wllama-node", avx2: "native-avx2", best: "native-best" } as const;

export const subjects: readonly Subject[] = [
  { id: mainSubject, label: "ruminate, Node", family: "ours", runtime: "node", load: wasm32 },
  { id: "ours-node-64", label: "ruminate, Node, wasm64", family: "ours", runtime: "node", load: wasm64 },
  {
    id: "ours-node-fixed",
    label: "ruminate, Node, fixed SIMD",
    family: "ours",
    runtime: "node",
    load: { ...wasm32, simd: "fixed" },
  },
  { id: "ours-deno", label: "ruminate, Deno", family: "ours", runtime: "deno", load: wasm32 },
  { id: "ours-bun", label: "ruminate, Bun", family: "ours", runtime: "bun", load: wasm32 },
  { id: references.wllama, label: "wllama, Node", family: "wllama", runtime: "node", load: wllama },
  { id: references.avx2, label: "native, AVX2", family: "native", runtime: "node", load: {}, avx2: true },
  { id: references.best, label: "native, best", family: "native", runtime: "node", load: {} },
  { id: "ours-chromium", label: "ruminate, Chromium", family: "ours", runtime: "chromium", load: wasm32 },
  { id: "ours-firefox", label: "ruminate, Firefox", family: "ours", runtime: "firefox", load: wasm32 },
  { id: "wllama-chromium", label: "wllama, Chromium", family: "wllama", runtime: "chromium", load: wllama },
  { id: "wllama-firefox", label: "wllama, Firefox", family: "wllama", runtime: "firefox", load: wllama },
];

export function isBrowser({ runtime }: Subject): boolean {
  return runtime === "chromium" || runtime === "firefox";
}

/** What has to be built first; undefined: nothing. */
export function missingBuild(chosen: readonly Subject[]): string | undefined {
  const ours = chosen.some(({ family }) => family === "ours");
  if (ours && !existsSync(new URL("wasm/dist/ruminate-32.wasm", root))) {
    return 'The engine is not built: wasm/dist holds no module; build it with "npm run build:wasm"';
  }
  if (chosen.some(isBrowser) && !existsSync(new URL("dist/index.js", root))) {
    return 'The package is not built, which pages import: dist/index.js is missing; build it with "npm run build"';
  }
  return undefined;
}

/** Why this machine has no use for a subject; undefined: it has. */
export function whyNot(subject: Subject, chosen: readonly Subject[]): string | undefined {
  if (subject.family !== "native" || !chosen.some(({ avx2 }) => avx2)) return undefined;
  const flags = processorFlags();
  if (subject.avx2) {
    if (flags.has("avx2") && existsSync(nativePackage)) return undefined;
    return "only on Linux, on an x64 processor with AVX2, can llama.cpp be kept to AVX2";
  }
  const more = flags.has("avx512f") || flags.has("avx_vnni");
  return more || !flags.has("avx2") ? undefined : "this processor has no more than AVX2, which native-avx2 measures";
}

/** The folder of the package with native llama.cpp for Linux on x64. */
export const nativePackage: string = fileURLToPath(new URL("node_modules/@node-llama-cpp/linux-x64/", root));

function processorFlags(): ReadonlySet<string> {
  if (process.platform !== "linux" || process.arch !== "x64") return new Set();
  const [, flags = ""] = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8")) ?? [];
  return new Set(flags.trim().split(" "));
}
