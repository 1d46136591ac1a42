// What takes too long for every run of the tests: llama.cpp's own tests of the CPU backend's operations and of its types of
// weights, compiled with our flags, patches and kernels, in Node.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { distFolder, wasmFolder } from "./wasm/modules.ts";
import { unpackSource } from "./wasm/source.ts";
import { findToolchain, generatorFlag } from "./wasm/toolchain.ts";

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ruminate");
const flavours = ["relaxed", "fixed"];
const tests = [
  { name: "test-quantize-fns", args: [] },
  // The CPU backend is held against its own plain C. Some cases prepare 4.3 GB of floats, which 32-bit memory has no room for.
  { name: "test-backend-ops", args: ["test", "-b", "CPU", "-p", "^(?!.*n_mats=128,.*m=4096,.*k=2048).*"] },
];
const testMs = 3 * 60 * 60_000;

async function main(): Promise<number> {
  const work = join(cache, "nightly");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const toolchain = await findToolchain(cache, console.log);
  await unpackSource(work);
  cpSync(wasmFolder, join(work, "wasm"), { recursive: true, filter: (path) => path !== distFolder });
  const at = toolchain.at(work);
  const targets = flavours.flatMap((simd) => tests.map(({ name }) => `${name}-${simd}`));
  console.log(`compiling ${targets.join(", ")} with ${toolchain.name}`);
  await toolchain.run(
    work,
    `emcmake cmake -S ${at}/wasm -B ${at}/build -DLLAMA_DIR=${at}/llama.cpp -DCMAKE_BUILD_TYPE=Release \\
       -DEMSCRIPTEN_SYSTEM_PROCESSOR=wasm32 -DRUMINATE_ADDRESS=32 -DRUMINATE_THREADS=ON -DRUMINATE_UPSTREAM_TESTS=ON${await generatorFlag(toolchain, work)}
     cmake --build ${at}/build --parallel 2 --target ${targets.join(" ")}`,
  );
  let failed = 0;
  for (const simd of flavours) {
    for (const { name, args } of tests) {
      const program = join(work, "build", `${name}-${simd}.cjs`);
      const { code, output, seconds } = await run(["node", program, ...args], { timeoutMs: testMs });
      console.log(`${code === 0 ? "ok   " : "FAIL "} ${name}, ${simd} SIMD, ${seconds.toFixed(0)} s`);
      if (code === 0) continue;
      failed += 1;
      console.log(output.slice(-4000));
    }
  }
  console.log(`${flavours.length * tests.length - failed} passed, ${failed} failed`);
  return failed;
}

process.exitCode = (await main()) > 0 ? 1 : 0;
