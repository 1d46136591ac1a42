import { memorySize, seconds, table } from "./format.ts";
import { interruptible } from "./host.ts";
import type { Context } from "./model.ts";
import type { Capabilities } from "./sdk.ts";

const question = "What is 47 + 85?";
const expected = "132";

/** How the self-test went. */
interface SelfTest {
  ok: boolean;
  answer?: string;
  error?: string;
  engine?: string;
  tokensPerSecond?: number;
  elapsedMs: number;
}

/**
 * `ruminate doctor`: what this host can do, and whether the bundled model answers here.
 *
 * @returns Whether it does.
 */
export async function doctor({ sdk, host }: Context, { json = false }: { json?: boolean }): Promise<boolean> {
  return interruptible(host, async (signal) => {
    const capabilities = await sdk.capabilities();
    if (!json) await host.stdout.write(capabilitiesText(capabilities, { ruminate: host.version, ...host.runtimes }));
    const selfTest = await testModel({ sdk, host }, signal);
    const report = { version: host.version, runtimes: host.runtimes, capabilities, selfTest };
    await host.stdout.write(json ? `${JSON.stringify(report, finite, 2)}\n` : selfTestText(selfTest));
    return selfTest.ok;
  });
}

async function testModel({ sdk, host }: Context, signal: AbortSignal): Promise<SelfTest> {
  const startedAt = host.now();
  try {
    const model = await sdk.loadModel(undefined, { signal });
    try {
      const options = { temperature: 0, maxTokens: 256, signal };
      const { text, timings } = await model.chat([{ role: "user", content: question }], options).result();
      return {
        ok: text.includes(expected),
        answer: text.trim(),
        engine: model.info.engine,
        tokensPerSecond: timings.tokensPerSecond,
        elapsedMs: host.now() - startedAt,
      };
    } finally {
      await model.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    return {
      ok: false,
      error: error instanceof Error ? error.message : String(error),
      elapsedMs: host.now() - startedAt,
    };
  }
}

function capabilitiesText(capabilities: Capabilities, versions: Readonly<Record<string, string>>): string {
  const { why } = capabilities;
  const yesNo = (value: boolean): string => (value ? "yes" : "no");
  const rows: [string, string][] = [
    [
      "versions",
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
    ["runtime", capabilities.runtime],
    ["threads", String(capabilities.threads)],
    ["SIMD", capabilities.simd],
    ["64-bit memory", yesNo(capabilities.memory64)],
    ["memory for a model", memorySize(capabilities.maxMemory)],
    ["WebGPU", yesNo(capabilities.webgpu)],
    ["cross-origin isolated", yesNo(capabilities.crossOriginIsolated)],
  ];
  const reasons = why.length > 0 ? `\nwhat is missing, and why:\n${why.map((reason) => `- ${reason}\n`).join("")}` : "";
  return `${table(rows)}${reasons}\n`;
}

function selfTestText({ ok, answer, error, engine, tokensPerSecond, elapsedMs }: SelfTest): string {
  if (error !== undefined) return table([["self-test", `failed after ${seconds(elapsedMs)}: ${error}`]]);
  const heard = `${question} ${answer || "(nothing)"}`;
  if (!ok) return table([["self-test", `failed: ${heard} (${expected} was expected)`]]);
  return table([
    ["self-test", `passed in ${seconds(elapsedMs)}: ${heard} (${engine}, ${tokensPerSecond?.toFixed(0)} tokens/s)`],
  ]);
}

/** JSON knows no infinity. */
function finite(_key: string, value: unknown): unknown {
  return value === Infinity ? "Infinity" : value;
}
