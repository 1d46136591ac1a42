// Where a compiler comes from: PATH, Docker, or a Debian system in a folder.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "../command.ts";
import type { CommandOptions } from "../command.ts";
import { wasmFolder } from "./modules.ts";

/** Older ones know neither relaxed SIMD as it was standardised nor `-m64`. */
const leastMajor = 5;
const dockerImage = "emscripten/emsdk:6.0.5";
const installMs = 30 * 60_000;
const buildMs = 60 * 60_000;

export interface Toolchain {
  /** What it is, for people. */
  readonly name: string;
  /** The folder as the compiler sees it. */
  readonly at: (folder: string) => string;
  /** Runs a shell command with a folder within reach. @throws {Error} with its output, if it fails */
  readonly run: (folder: string, command: string) => Promise<string>;
}

/**
 * The first of: emcc on PATH, Docker, a Debian system of our own (as root on Debian).
 *
 * @param cache Folder that outlives builds.
 * @throws {Error} if there is none
 */
export async function findToolchain(cache: string, say: (text: string) => void): Promise<Toolchain> {
  if (isOnPath("emcc")) {
    const { stdout } = await run(["emcc", "--version"]);
    const version = /\b(\d+)\.\d+\.\d+/.exec(stdout);
    if (version && Number(version[1]) >= leastMajor) {
      return {
        name: `emcc ${version[0]} on PATH`,
        at: (folder) => folder,
        // Emscripten leaves files of its own trials behind.
        run: (folder, command) => must(["sh", "-euc", command], { cwd: folder }),
      };
    }
    say(
      `emcc on PATH is ${version?.[0] ?? "of an unknown version"}; ${leastMajor} or newer is wanted, looking further`,
    );
  }
  if (isOnPath("docker") && (await run(["docker", "info"])).code === 0) {
    return {
      name: `Docker image ${dockerImage}`,
      at: () => "/build",
      run: (folder, command) =>
        must(["docker", "run", "--rm", "-v", `${folder}:/build`, dockerImage, "sh", "-euc", command]),
    };
  }
  return debian(cache, say);
}

/** What has CMake use ninja, where there is one: some systems have no make. */
export async function generatorFlag(toolchain: Toolchain, folder: string): Promise<string> {
  const found = await toolchain.run(folder, "command -v ninja || true");
  return found.trim() === "" ? "" : " -G Ninja";
}

async function debian(cache: string, say: (text: string) => void): Promise<Toolchain> {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) {
    throw new Error(
      `Cannot build the WebAssembly modules: no emcc ${leastMajor} or newer is on PATH, Docker does not answer, and this is not Debian with root's rights; install Emscripten and run it again`,
    );
  }
  const script = join(wasmFolder, "toolchain.sh");
  const system = join(cache, "debian-forky");
  if (!existsSync(system)) {
    say("installing Emscripten from Debian forky, about 1.3 GB");
    await must(["sh", script, "install", system], { timeoutMs: installMs });
  }
  return {
    name: "Debian forky's Emscripten",
    at: () => "/build",
    run: (folder, command) => must(["sh", script, "run", system, folder, "sh", "-euc", command]),
  };
}

async function must(command: readonly [string, ...string[]], options: CommandOptions = {}): Promise<string> {
  const { code, output, stdout } = await run([...command], { timeoutMs: buildMs, ...options });
  if (code !== 0) throw new Error(`${command.slice(0, 3).join(" ")} failed:\n${output.slice(-8000)}`);
  return stdout;
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
