// How long it takes from nothing to a model's first token: node bench/cold-start.ts --help
import { spawn } from "node:child_process";
import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "tsup";
import { programPath } from "../test/conformance/start-process.ts";
import { openPage } from "../test/conformance/start-browser.ts";
import { startWorkerd } from "../test/conformance/start-workerd.ts";
import { serve } from "../test/conformance/server.ts";
import type { ColdReport } from "./cold/first-token.ts";
import { describeMachine, machineLine } from "./speed/machine.ts";
import { writeResults, writeSection } from "./speed/output.ts";
import { parseOptions, UsageError, wholeNumber } from "./speed/parse.ts";

const help = `npm run bench:cold -- [options]

Measures, with the small model of the package and one thread, how long each host takes from its start to the first token:
processes from being spawned, a page from its navigation, workerd from a request to a process that has just started. Hosts
take turns. Needs "npm run build" and "npm run build:wasm".

  --rounds <n>  starts of each host (default 7)
  -h, --help    show this`;

type Times = Partial<ColdReport> & { readonly first: number };
type Measure = () => Promise<Times>;

const root = pathToFileURL(fileURLToPath(new URL("../", import.meta.url)));
const entry = new URL("dist/index.js", root).href;

/** JavaScript: what each program takes to read TypeScript is none of ours. */
async function buildScript(folder: string): Promise<string> {
  await build({
    config: false,
    silent: true,
    entry: { process: fileURLToPath(new URL("cold/process.ts", import.meta.url)) },
    outDir: folder,
    format: "esm",
    target: "es2024",
    outExtension: () => ({ js: ".mjs" }),
  });
  return join(folder, "process.mjs");
}

/** Milliseconds from the spawn on. */
function inProcess(program: "node" | "deno" | "bun", script: string): Measure {
  return async () => {
    const flags = program === "deno" ? ["run", "-A", "--quiet"] : [];
    const startedAt = performance.now();
    const child = spawn(programPath(program), [...flags, script, entry], { stdio: ["ignore", "pipe", "inherit"] });
    let first = 0;
    let report: ColdReport | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "first") first = performance.now() - startedAt;
      // The process is ours.
      else report = JSON.parse(line) as ColdReport;
    }
    if (!report) throw new Error(`${program} ended without a report`);
    return { ...report, first };
  };
}

function inPage(origin: string): Measure {
  return async () => {
    const { promise, resolve, reject } = Promise.withResolvers<Times>();
    await using _page = await openPage("chromium", `${origin}/plain/bench/cold/page.html`, (line) => {
      if (line.startsWith("uncaught")) reject(new Error(line));
      // The page is ours.
      if (line.startsWith("{")) resolve(JSON.parse(line) as Times);
    });
    return await promise;
  };
}

/** The Worker fetches its model, from this machine. */
function inWorkerd(origin: string): Measure {
  return async () => {
    await using worker = await startWorkerd(() => undefined, "server");
    const startedAt = performance.now();
    const response = await fetch(`${worker.origin}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: "Bearer a key",
        model: `${origin}/models/ruminate-nano-q8_0.gguf`,
      },
      body: JSON.stringify({ messages: [{ role: "user", content: "What is 47 + 85?" }], stream: true }),
    });
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (/"(?:reasoning_content|content)":"[^"]/.test(text)) return { first: performance.now() - startedAt };
    }
    throw new Error(`workerd answered ${response.status}: ${text.slice(0, 300)}`);
  };
}

function median(values: readonly (number | undefined)[]): string {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[sorted.length >> 1]?.toFixed(0) ?? "";
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args, {
    rounds: { type: "string", default: "7" },
    help: { type: "boolean", short: "h" },
  });
  if (options.help === true) return console.log(help);
  const rounds = wholeNumber("--rounds", options.rounds ?? "7", 1);
  await using files = await serve(root);
  using folder = mkdtempDisposableSync(join(tmpdir(), "ruminate-cold-"));
  const script = await buildScript(folder.path);
  const hosts: readonly (readonly [string, Measure])[] = [
    ["Node", inProcess("node", script)],
    ["Deno", inProcess("deno", script)],
    ["Bun", inProcess("bun", script)],
    ["workerd", inWorkerd(files.origin)],
    ["Chromium", inPage(files.origin)],
  ];
  const measured = new Map<string, Times[]>(hosts.map(([name]) => [name, []]));
  // One more, which only warms the disk's cache.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of hosts) {
      const times = await measure();
      process.stderr.write(`${round}/${rounds} ${name}: ${times.first.toFixed(0)} ms\n`);
      if (round > 0) measured.get(name)?.push(times);
    }
  }
  const rows = [...measured].map(([name, all]) => {
    const column = (key: keyof Times): string => median(all.map((times) => times[key]));
    return `| ${name} | ${column("first")} | ${column("load")} | ${column("token")} | ${column("loadAgain")} |`;
  });
  const table = [
    `Milliseconds, medians of ${rounds} starts, hosts in turns: from the start of a process (workerd: of a request, a page: of its navigation) to the first token of the package's small model, on one thread; of that, to load the model, and from there to the token; last, to load a model once more, when its module is compiled already. ${machineLine(describeMachine([]))}.`,
    "",
    "| host | first token | of that, loading | and the token | loading again |",
    "| --- | --: | --: | --: | --: |",
    ...rows,
  ].join("\n");
  const paths = writeResults("cold-start", {
    json: JSON.stringify(Object.fromEntries(measured)),
    md: `# From nothing to the first token\n\n${table}\n`,
  });
  writeSection(new URL("docs/server.md", root), "cold start", table);
  console.log(`${table}\n\nWritten: ${paths.join(", ")}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${help}`);
  process.exitCode = 2;
}
