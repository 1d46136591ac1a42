import type { Gaps, HostConfig } from "./contract.ts";

type Runtime = HostConfig["runtime"];

/** One column of the table: a runtime, how it is started, and what it must then give. */
export interface Column {
  readonly name: string;
  readonly runtime: Runtime;
  /** `dist`: the built package; `src`: the source as it stands; `cdn`: dist from another origin than the page's. */
  readonly from: "dist" | "src" | "cdn";
  readonly threads: number;
  readonly threadsExpected: number;
  readonly isolated: boolean;
  readonly gaps: Gaps;
  /** Only the short list: the long one would tell nothing new. */
  readonly smoke: boolean;
}

const wllama: Gaps = {
  tokenize: "wllama's module has no call that tokenizes",
  state: "wllama's module can't copy the KV cache",
};
const noFiles: Gaps = { files: "a page has no paths" };

/** Two threads and one; a page without isolation asks for two and is to be given one. */
function columnsOf(runtime: Runtime): Column[] {
  const browser = runtime === "chromium" || runtime === "firefox";
  const gaps = browser ? { ...wllama, ...noFiles } : wllama;
  const shared = { runtime, gaps, smoke: false, from: "dist", isolated: true } as const;
  // wllama's threads spin: on a machine whose cores are busy the long list takes an hour with two of them.
  const two: Column = { ...shared, name: `${runtime} × 2`, threads: 2, threadsExpected: 2, smoke: true };
  const one: Column = {
    ...shared,
    name: `${runtime} × 1`,
    threads: browser ? 2 : 1,
    threadsExpected: 1,
    isolated: !browser,
  };
  const elsewhere = { smoke: true, from: browser ? "cdn" : "src" } as const;
  return browser
    ? [
        two,
        one,
        { ...two, ...elsewhere, name: `${runtime} × 2, cdn` },
        { ...one, ...elsewhere, name: `${runtime} × 1, cdn` },
      ]
    : [two, one, { ...one, ...elsewhere, name: `${runtime} × 1, source` }];
}

/** All columns, in the order of the table. */
export const columns: readonly Column[] = (["node", "deno", "bun", "chromium", "firefox"] as const).flatMap(columnsOf);
