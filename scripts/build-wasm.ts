// Builds the WebAssembly modules into wasm/dist: llama.cpp's pristine source with the patches of wasm/patches, our kernels
// and our C interface. What was built once from the same inputs is taken from a cache.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { distFolder, inputsHash, kinds, sha256, sourceRelease, wasmFolder } from "./wasm/modules.ts";
import type { BuildKind } from "./wasm/modules.ts";
import { unpackSource } from "./wasm/source.ts";
import { findToolchain, generatorFlag } from "./wasm/toolchain.ts";
import type { Toolchain } from "./wasm/toolchain.ts";

const help = `Usage: npm run build:wasm -- [options]

Builds wasm/dist/*.wasm. Emscripten is taken from PATH, from Docker, or on Debian, as root, installed into the cache.

  --force     build even what the cache has
  -h, --help`;

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ruminate");

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { force: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
  if (values.help === true) return console.log(help);
  const startedAt = performance.now();
  const key = inputsHash();
  const kept = join(cache, "wasm", key);
  if (values.force === true) rmSync(kept, { recursive: true, force: true });
  if (!existsSync(kept)) await build(key, kept);
  else say("taken from the cache");
  rmSync(distFolder, { recursive: true, force: true });
  cpSync(kept, distFolder, { recursive: true });
  const { modules } = JSON.parse(readFileSync(join(distFolder, "build.json"), "utf8")) as BuildRecord;
  for (const { file, bytes, brotli } of modules) {
    say(`${file.padEnd(32)} ${megabytes(bytes)}, ${megabytes(brotli)} as brotli`);
  }
  say(`done in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** What wasm/dist/build.json holds. Sizes are bytes. */
interface BuildRecord {
  readonly inputs: string;
  readonly source: ReturnType<typeof sourceRelease>;
  readonly patches: readonly string[];
  readonly toolchain: string;
  readonly compiler: string;
  readonly modules: readonly {
    readonly file: string;
    readonly flags: string;
    readonly bytes: number;
    readonly brotli: number;
    readonly sha256: string;
  }[];
}

async function build(key: string, kept: string): Promise<void> {
  mkdirSync(join(cache, "wasm"), { recursive: true });
  // Of its own: two checkouts may build at once.
  const work = mkdtempSync(join(cache, "build-"));
  try {
    await buildIn(work, key);
    renameSync(join(work, "dist"), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function buildIn(work: string, key: string): Promise<void> {
  const toolchain = await findToolchain(cache, say);
  say(`compiling with ${toolchain.name}`);
  const patches = await unpackSource(work);
  cpSync(wasmFolder, join(work, "wasm"), { recursive: true, filter: (path) => path !== distFolder });
  const out = join(work, "dist");
  mkdirSync(join(out, "test"), { recursive: true });
  for (const kind of kinds) await compile(kind, { toolchain, work, out });
  const compiler = await toolchain.run(work, "emcc --version | head -1");
  const record: BuildRecord = {
    inputs: key,
    source: sourceRelease(),
    patches,
    toolchain: toolchain.name,
    compiler: compiler.trim(),
    modules: kinds.flatMap((kind) => describe(kind, out)),
  };
  writeFileSync(join(out, "build.json"), `${JSON.stringify(record, null, 2)}\n`);
}

interface Workshop {
  readonly toolchain: Toolchain;
  /** Folder with the sources. */
  readonly work: string;
  /** Folder for what is built. */
  readonly out: string;
}

function flagsOf({ address, threads, modules, tests }: BuildKind): string {
  return [
    "-DCMAKE_BUILD_TYPE=Release",
    `-DEMSCRIPTEN_SYSTEM_PROCESSOR=wasm${address}`,
    `-DRUMINATE_ADDRESS=${address}`,
    `-DRUMINATE_THREADS=${threads ? "ON" : "OFF"}`,
    `-DRUMINATE_SIMD='${Object.keys(modules).join(";")}'`,
    `-DRUMINATE_TESTS=${tests ? "ON" : "OFF"}`,
  ].join(" ");
}

async function compile(kind: BuildKind, { toolchain, work, out }: Workshop): Promise<void> {
  const startedAt = performance.now();
  const at = toolchain.at(work);
  const folder = `build-${kind.address}${kind.threads ? "-threads" : ""}`;
  const jobs = availableParallelism();
  await toolchain.run(
    work,
    `emcmake cmake -S ${at}/wasm -B ${at}/${folder} -DLLAMA_DIR=${at}/llama.cpp ${flagsOf(kind)}${await generatorFlag(toolchain, work)}
     cmake --build ${at}/${folder} --parallel ${jobs} --target ${targets(kind).join(" ")}`,
  );
  for (const [simd, file] of Object.entries(kind.modules)) {
    cpSync(join(work, folder, `ruminate-${simd}.wasm`), join(out, file));
    if (!kind.tests) continue;
    for (const ending of ["cjs", "wasm"]) {
      const name = `kernel-test-${simd}.${ending}`;
      cpSync(join(work, folder, name), join(out, "test", name));
    }
  }
  say(`${kind.name}: compiled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

function targets({ modules, tests }: BuildKind): string[] {
  return Object.keys(modules).flatMap((simd) => [`ruminate-${simd}`, ...(tests ? [`kernel-test-${simd}`] : [])]);
}

function describe(kind: BuildKind, out: string): BuildRecord["modules"] {
  return Object.entries(kind.modules).map(([, file]) => {
    const bytes = readFileSync(join(out, file));
    return {
      file,
      flags: flagsOf(kind),
      bytes: bytes.byteLength,
      brotli: brotliCompressSync(bytes).byteLength,
      sha256: sha256(bytes),
    };
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function say(text: string): void {
  console.log(`build:wasm: ${text}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
