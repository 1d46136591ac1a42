import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../../scripts/command.ts";
import type { Stage } from "./stage.ts";

const dist = join(root, "wasm", "dist");
/** With nothing cached the compiler is installed, and llama.cpp compiled for three kinds of memory. */
const buildMs = 75 * 60_000;
/** Bytes of a module, compressed as servers send it. */
const mostBytes = 1e6;

/** V8's own switches. Without VNNI it makes three instructions of the dot product; without AVX it multiplies and adds apart. */
const engines = [
  { name: "as the engine likes", simd: "relaxed", flags: [] },
  { name: "without VNNI", simd: "relaxed", flags: ["--no-enable-avx-vnni", "--no-enable-avx-vnni-int8"] },
  { name: "without AVX", simd: "relaxed", flags: ["--no-enable-avx2", "--no-enable-avx"] },
  { name: "fixed SIMD", simd: "fixed", flags: [] },
];

interface BuildRecord {
  readonly modules: readonly { readonly file: string; readonly brotli: number }[];
}

/** Our engine's modules are built from source, are small enough, and their kernels compute what a scalar reference does. */
export const wasmStage: Stage = {
  name: "wasm",
  what: "llama.cpp compiles to WebAssembly, and our kernels compute what a scalar reference does",
  async run() {
    const { code } = await run(["node", "scripts/build-wasm.ts"], {
      timeoutMs: buildMs,
      onoutput: (text) => process.stdout.write(text),
    });
    const record = join(dist, "build.json");
    if (code !== 0 || !existsSync(record)) return { passed: 0, failed: 1 };
    const { modules } = JSON.parse(readFileSync(record, "utf8")) as BuildRecord;
    const results = modules.map(({ file, brotli }) =>
      report(`${file} is small enough`, brotli < mostBytes, `${brotli} bytes`),
    );
    for (const engine of engines) results.push(...(await testKernels(engine)));
    return { passed: results.filter(Boolean).length, failed: results.filter((good) => !good).length };
  },
};

async function testKernels({ name, simd, flags }: (typeof engines)[number]): Promise<boolean[]> {
  const program = join(dist, "test", `kernel-test-${simd}.cjs`);
  const { code, stdout, output } = await run(["node", ...flags, program]);
  const lines = stdout.split("\n").filter((line) => /^(ok|FAIL) /.test(line));
  const failed = lines.filter((line) => line.startsWith("FAIL"));
  for (const line of failed) console.log(`${line} (${name})`);
  const whole = report(
    `kernels, ${name}: ${lines.length} cases`,
    code === 0 && lines.length > 0 && failed.length === 0,
    output.slice(-500),
  );
  return [...lines.map((line) => line.startsWith("ok")), whole];
}

function report(what: string, good: boolean, detail: string): boolean {
  console.log(good ? `ok    ${what}` : `FAIL  ${what}: ${detail}`);
  return good;
}
