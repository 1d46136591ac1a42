// llama.cpp's own server, of Debian forky, in the system that the modules are compiled in.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { root, run } from "../../scripts/command.ts";

const script = join(root, "wasm", "toolchain.sh");
const system = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ruminate", "debian-forky");
const startMs = 60_000;

/** Installs it, as root on Debian. */
export async function installLlamaServer(): Promise<void> {
  if (!existsSync(system)) await must(["sh", script, "install", system]);
  if (existsSync(join(system, "usr", "bin", "llama-server"))) return;
  const install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends llama.cpp-tools";
  await must(["sh", script, "run", system, root, "sh", "-euc", install]);
}

async function must(command: readonly [string, ...string[]]): Promise<void> {
  const { code, output } = await run(command, { timeoutMs: 15 * 60_000 });
  if (code !== 0) throw new Error(`Cannot install llama-server: ${command.join(" ")} failed:\n${output.slice(-4000)}`);
}

export interface RunningServer extends AsyncDisposable {
  /** As `remote()` wants it. */
  readonly baseURL: string;
}

/** Serves the bundled model with one thread. */
export async function startLlamaServer(args: readonly string[] = []): Promise<RunningServer> {
  const port = await freePort();
  const command = ["llama-server", "-m", "/build/models/ruminate-nano-q8_0.gguf", "--host", "127.0.0.1"];
  const options = ["--port", String(port), "-c", "1024", "-t", "1", "--parallel", "1", ...args];
  const child = spawn("sh", [script, "run", system, root, ...command, ...options], { detached: true });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  process.once("exit", kill);
  const deadline = Date.now() + startMs;
  for (;;) {
    const isReady = await fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null || Date.now() > deadline) {
      kill();
      throw new Error(`llama-server did not start:\n${log.slice(-4000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      process.removeListener("exit", kill);
      kill();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
