import { fileURLToPath } from "node:url";

import type { Column } from "./columns.ts";
import type { CaseResult, HostConfig, HostReport } from "./contract.ts";
import type { Fixtures } from "./fixtures.ts";
import type { StaticServer } from "./server.ts";
import { openPage } from "./start-browser.ts";
import { startProcess } from "./start-process.ts";
import { runWorkerd } from "./run-workerd.ts";

/** What every column of one run shares. */
export interface Suite {
  readonly root: URL;
  readonly server: StaticServer;
  /** Another origin, that pages import the package from. */
  readonly cdn: StaticServer;
  readonly fixtures: Fixtures;
  readonly model: URL;
  readonly only?: string;
  readonly onResult: (result: CaseResult) => void;
}

// Generous: on cores that others use, two spinning threads take twenty times as long.
const caseTimeoutMs = 300_000;
const columnTimeoutMs = 1_800_000;

/** Runs the cases in one column. What keeps them from running to the end is a failed result of its own. */
export async function runColumn(column: Column, suite: Suite): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const log: string[] = [];
  let current: string | undefined;
  const add = (result: CaseResult): void => {
    results.push(result);
    suite.onResult(result);
  };
  const { promise: end, resolve, reject } = Promise.withResolvers<void>();
  // Whoever awaits it comes later.
  end.catch(() => {});
  const onLine = (line: string): void => {
    const report = parseReport(line);
    if (!report) log.push(line);
    else if (report.type === "start") current = report.name;
    else if (report.type === "result") {
      current = undefined;
      add(report.result);
    } else if (report.type === "end") resolve();
    else reject(new Error(report.message));
  };
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    timeout.abort();
    reject(new Error(`the whole list took longer than ${columnTimeoutMs / 1000} s`));
  }, columnTimeoutMs);
  const start = performance.now();
  try {
    await host(column, suite, { signal: timeout.signal, onLine, end, broke: reject });
  } catch (error) {
    const during = current === undefined ? "" : ` during "${current}"`;
    const message = `${error instanceof Error ? error.message : String(error)}${during}`;
    add({ name: "the host runs to its end", outcome: "failed", ms: Math.round(performance.now() - start), message });
  } finally {
    clearTimeout(timer);
  }
  if (results.some(({ outcome }) => outcome === "failed"))
    for (const line of log.slice(-40)) console.log(`    | ${line}`);
  return results;
}

interface HostOptions {
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  readonly end: Promise<void>;
  readonly broke: (error: Error) => void;
}

async function host(column: Column, suite: Suite, { signal, onLine, end, broke }: HostOptions): Promise<void> {
  const config = configOf(column, suite);
  const { runtime, program } = column;
  if (runtime === "chromium" || runtime === "firefox") {
    const folder = column.isolated ? "isolated" : "plain";
    const address = `${suite.server.origin}/${folder}/test/conformance/hosts/page.html`;
    await using _page = await openPage(runtime, `${address}#${encodeURIComponent(JSON.stringify(config))}`, (line) => {
      onLine(line);
      if (line === "the page crashed") broke(new Error(line));
    });
    await end;
    return;
  }
  if (runtime === "workerd") return runWorkerd(config, { onLine, end, signal });
  if (!program) throw new TypeError(`The column ${column.name} names no program`);
  const script = fileURLToPath(new URL("hosts/process.ts", import.meta.url));
  const { code, stderr } = await startProcess(program, [script, JSON.stringify(config)], { signal, onLine });
  if (stderr) for (const line of stderr.trimEnd().split("\n")) onLine(line);
  broke(new Error(`${program} ended with code ${String(code)} before its last case`));
  await end;
}

function configOf(column: Column, { root, server, cdn, fixtures, model, only }: Suite): HostConfig {
  const { runtime, engine, threads, threadsExpected, isolated, gaps, smoke, from } = column;
  const page = isolated ? "isolated" : "plain";
  const entry = {
    src: new URL("src/index.ts", root).href,
    cdn: `${cdn.origin}/dist/index.js`,
    dist:
      runtime === "chromium" || runtime === "firefox"
        ? `${server.origin}/${page}/dist/index.js`
        : new URL("dist/index.js", root).href,
  };
  return {
    runtime,
    engine,
    threads,
    threadsExpected,
    isolated,
    gaps,
    smoke,
    sdk: entry[from],
    origin: server.origin,
    ...("files" in gaps ? {} : { files: { model: fileURLToPath(model), shards: fixtures.shards } }),
    ...(only === undefined ? {} : { only }),
    timeoutMs: caseTimeoutMs,
  };
}

function parseReport(line: string): HostReport | undefined {
  if (!line.startsWith('{"type":"')) return undefined;
  try {
    // Lines that begin so are written by hosts/ alone.
    return JSON.parse(line) as HostReport;
  } catch {
    return undefined;
  }
}
