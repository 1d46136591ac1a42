// Runs the cases inside a host. Only web standards: this very file runs in Node, Deno, Bun and the browsers.
import type { Golden } from "../golden/make.ts";
import type { Model } from "../../src/index.ts";
import { ok, show } from "./assert.ts";
import { cases } from "./cases.ts";
import type {
  CaseResult,
  ConformanceCase,
  ConformanceContext,
  Doors,
  HostConfig,
  HostReport,
  Sdk,
} from "./contract.ts";

interface Host {
  readonly unhandled: readonly string[];
  readonly sdk?: Sdk;
  readonly doors?: () => Promise<Doors>;
}

/**
 * Runs every case of the column, one after the other, each under a time-out.
 *
 * @param host Its list of errors that nobody handled, which grows while the cases run; and the package and its doors, where
 *   they can't be imported by the config's address.
 */
export async function execute(
  config: HostConfig,
  { unhandled, sdk: given, doors = () => importDoors(config) }: Host,
  report: (report: HostReport) => void,
): Promise<void> {
  try {
    // The type of a module that is found at run time can't be inferred.
    const sdk = given ?? ((await import(config.sdk)) as Sdk);
    await runAll(config, { sdk, unhandled, doors }, report);
    report({ type: "end" });
  } catch (error) {
    report({ type: "broken", message: show(error) });
  }
}

async function importDoors({ sdk }: HostConfig): Promise<Doors> {
  const beside = (name: string): string => sdk.replace(/index(\.\w+)$/, `${name}$1`);
  // As with the package itself, their types can't be inferred.
  const [openai, aiSdk] = await Promise.all([import(beside("openai")), import(beside("ai-sdk"))]);
  return { openai, aiSdk } as Doors;
}

async function runAll(
  config: HostConfig,
  { sdk, unhandled, doors }: Required<Host>,
  report: (report: HostReport) => void,
): Promise<void> {
  const shared = sharedModel(sdk, config);
  const context: ConformanceContext = { ...config, ...(await resources(config)), unhandled, doors, model: shared.get };
  for (const entry of cases) {
    if (config.smoke && !entry.smoke) continue;
    if (config.only !== undefined && !entry.name.includes(config.only)) continue;
    report({ type: "start", name: entry.name });
    const result = await runCase(entry, sdk, context);
    report({ type: "result", result });
    // A case that failed may have left the model in the middle of something; the next one is to be judged by itself.
    if (result.outcome === "failed") await shared.drop();
  }
  await shared.drop();
}

async function runCase(entry: ConformanceCase, sdk: Sdk, context: ConformanceContext): Promise<CaseResult> {
  const { name, needs } = entry;
  const gap = needs && context.gaps[needs];
  const start = performance.now();
  try {
    if (gap === undefined) {
      await within(context.timeoutMs, entry.run(sdk, context));
    } else {
      ok(entry.absent, `the case needs "${needs}" and does not say how its absence shows`);
      await within(context.timeoutMs, entry.absent(sdk, context));
    }
  } catch (error) {
    const stack = error instanceof Error && error.stack ? `\n${error.stack}` : "";
    return { name, outcome: "failed", ms: since(start), message: show(error) + stack };
  }
  return gap === undefined
    ? { name, outcome: "passed", ms: since(start) }
    : { name, outcome: "gap", ms: since(start), message: gap };
}

function since(start: number): number {
  return Math.round(performance.now() - start);
}

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came back within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function resources({
  origin,
  engine,
  threads,
}: HostConfig): Promise<Pick<ConformanceContext, "golden" | "urls" | "load">> {
  const response = await fetch(`${origin}/test/golden/golden.json`);
  ok(response.ok, `golden.json: status ${response.status}`);
  // Its shape is the one that make.ts wrote.
  const golden = (await response.json()) as Golden;
  const huge = `${origin}/fixtures/huge.gguf?run=${Math.random()}`;
  return {
    golden,
    urls: {
      model: `${origin}/models/${golden.model}`,
      shards: [1, 2].map((shard) => `${origin}/fixtures/nano-0000${shard}-of-00002.gguf`),
      huge,
      hugeSent: huge.replace("huge.gguf", "huge-sent"),
      missing: `${origin}/fixtures/missing.gguf`,
    },
    load: { ...engine, threads },
  };
}

function sharedModel(sdk: Sdk, config: HostConfig): { get: () => Promise<Model>; drop: () => Promise<void> } {
  let model: Promise<Model> | undefined;
  return {
    get: () => (model ??= sdk.loadModel(undefined, { ...config.engine, threads: config.threads })),
    async drop() {
      const old = model;
      model = undefined;
      // Whether closing works is a case of its own; here it must only not hold up the rest.
      if (old)
        await within(
          5000,
          old.then((loaded) => loaded.close()),
        ).catch(() => {});
    },
  };
}
