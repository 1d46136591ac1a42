import type { EngineWishes, Gaps, HostConfig } from "./contract.ts";
import type { ProgramName } from "./start-process.ts";

type Runtime = HostConfig["runtime"];

/** One column of the table: a runtime, how it is started, and what it must then give. */
export interface Column {
  readonly name: string;
  readonly runtime: Runtime;
  /** Where it is a process. */
  readonly program?: ProgramName;
  readonly engine: EngineWishes;
  /** `dist`: the built package; `src`: the source as it stands; `cdn`: dist from another origin than the page's. */
  readonly from: "dist" | "src" | "cdn";
  readonly threads: number;
  readonly threadsExpected: number;
  readonly isolated: boolean;
  readonly gaps: Gaps;
  /** Only the short list: the long one would tell nothing new. */
  readonly smoke: boolean;
}

const llama: Gaps = { rank: "the bundled model is not one that ranks texts" };
const wllama: Gaps = {
  tokenize: "wllama's module has no call that tokenizes",
  state: "wllama's module can't copy the KV cache",
  embed: "wllama's module is loaded for completions only",
  rank: "wllama's module is loaded for completions only",
};
const noFiles: Gaps = { files: "a page has no paths" };

/** A page without isolation asks for two threads and is to be given one. */
function columnsOf(runtime: Exclude<Runtime, "workerd">): Column[] {
  const browser = runtime === "chromium" || runtime === "firefox";
  const shared = {
    runtime,
    gaps: browser ? { ...llama, ...noFiles } : llama,
    smoke: true,
    from: "dist",
    isolated: true,
    engine: { engine: "llama" },
    ...(browser ? {} : { program: runtime }),
  } as const;
  const two: Column = { ...shared, name: `${runtime} × 2`, threads: 2, threadsExpected: 2 };
  const one: Column = {
    ...shared,
    name: `${runtime} × 1`,
    smoke: false,
    threads: browser ? 2 : 1,
    threadsExpected: 1,
    isolated: !browser,
  };
  const short: Column = { ...one, smoke: true };
  const elsewhere: Column[] = browser
    ? [
        { ...two, from: "cdn", name: `${runtime} × 2, cdn` },
        { ...short, from: "cdn", name: `${runtime} × 1, cdn` },
      ]
    : [{ ...short, from: "src", name: `${runtime} × 1, source` }];
  return [two, one, ...elsewhere, ...variantsOf(two, short), ...wllamaOf(two, one)];
}

/** The other modules of our engine: each differs from the usual one in its numbers alone. */
function variantsOf(two: Column, short: Column): Column[] {
  const { runtime } = two;
  // Bun's engine has no 64-bit memory.
  const wide: Column[] =
    runtime === "bun"
      ? []
      : [{ ...two, name: `${runtime} × 2, wasm64`, engine: { engine: "llama", memory: "wasm64" } }];
  return [...wide, { ...short, name: `${runtime} × 1, fixed SIMD`, engine: { engine: "llama", simd: "fixed" } }];
}

/** The prebuilt engine. Its threads spin: on busy cores the long list would take an hour with two of them. */
function wllamaOf(two: Column, one: Column): Column[] {
  const { runtime } = two;
  const browser = runtime === "chromium" || runtime === "firefox";
  const other = { engine: { engine: "wllama" }, gaps: browser ? { ...wllama, ...noFiles } : wllama } as const;
  const single: Column = { ...one, ...other, name: `${runtime} × 1, wllama`, smoke: runtime !== "node" };
  return browser ? [{ ...two, ...other, name: `${runtime} × 2, wllama` }, single] : [single];
}

/** The oldest Node, which has no 64-bit memory. */
function oldNode(columns: readonly Column[]): Column[] {
  return columns
    .filter(({ name }) => /^node × \d(, wllama)?$/.test(name))
    .map((column) => ({
      ...column,
      name: column.name.replace("node", "node 22"),
      program: "node 22",
      smoke: column.name !== "node × 1",
    }));
}

/** A Worker computes in its one thread, and has no files. */
const workerd: Column = {
  name: "workerd × 1",
  runtime: "workerd",
  engine: { engine: "llama" },
  gaps: { ...llama, files: "a Worker has no paths" },
  from: "dist",
  threads: 2,
  threadsExpected: 1,
  isolated: true,
  smoke: false,
};

/** All columns, in the order of the table. */
export const columns: readonly Column[] = [
  ...columnsOf("node"),
  ...oldNode(columnsOf("node")),
  ...(["deno", "bun", "chromium", "firefox"] as const).flatMap(columnsOf),
  workerd,
];
