import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const root = fileURLToPath(new URL("../../", import.meta.url));
const program = join(root, "node_modules/workerd/bin/workerd");
const hosts = "test/conformance/hosts";
const wasm = "wasm/dist/ruminate-32.wasm";

/** A Worker that answers at an address, until it is closed. */
export interface RunningWorker extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** The most memory that the process has had, and what it had before its first request; bytes. */
  peakBytes(): { readonly peak: number; readonly idle: number };
}

/**
 * Starts workerd with a host and the built package, each file a module of its own.
 *
 * @param host A module of the folder of hosts; default: that of the cases.
 * @throws {Error} if workerd is not installed, or does not start
 */
export async function startWorkerd(onLine: (line: string) => void, host = "workerd"): Promise<RunningWorker> {
  if (!existsSync(program)) {
    throw new Error(
      `Cannot run workerd: ${program} is not there; install it with "npm ci" (with install scripts allowed)`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "ruminate-workerd-"));
  await build({
    config: false,
    silent: true,
    entry: { workerd: join(root, hosts, `${host}.ts`) },
    outDir: folder,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    noExternal: [/.*/],
    outExtension: () => ({ js: ".js" }),
  });
  writeFileSync(join(folder, "config.capnp"), configOf(join(folder, "workerd.js")));
  const child = spawn(program, ["serve", "--import-path=/", "--control-fd=3", join(folder, "config.capnp")], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const stop = (): void => void child.kill("SIGKILL");
  process.once("exit", stop);
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => onLine(chunk.toString().trimEnd()));
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  try {
    // With these options the fourth stream is one to read from.
    const port = await portOf(child.stdio[3] as Readable, ended);
    const idle = memoryOf(child.pid, "VmRSS");
    return {
      origin: `http://127.0.0.1:${port}`,
      peakBytes: () => ({ peak: memoryOf(child.pid, "VmHWM"), idle }),
      async [Symbol.asyncDispose]() {
        stop();
        await ended;
        process.removeListener("exit", stop);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

function portOf(control: Readable, ended: Promise<void>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let said = "";
  control.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    const found = /"port":(\d+)/.exec(said);
    if (found) resolve(Number(found[1]));
  });
  void ended.then(() => reject(new Error("workerd ended before it listened")));
  return promise;
}

function memoryOf(pid: number | undefined, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
}

/** In workerd's own language. Modules are named so that the relative imports between them hold. */
function configOf(bundled: string): string {
  const files = readdirSync(join(root, "dist")).filter((name) =>
    /^(workerd|openai|ai-sdk|chunk-.*|in-thread-.*|load-remote-.*)\.js$/.test(name),
  );
  const modules = [
    `( name = "${hosts}/workerd.js", esModule = embed "${bundled}" )`,
    ...files.map((name) => `( name = "dist/${name}", esModule = embed "${join(root, "dist", name)}" )`),
    `( name = "${wasm}", wasm = embed "${join(root, wasm)}" )`,
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ( name = "main", worker = .worker ),
    ( name = "network", network = ( allow = [ "public", "private" ] ) ),
  ],
  sockets = [ ( name = "http", address = "127.0.0.1:0", http = (), service = "main" ) ],
);
const worker :Workerd.Worker = (
  modules = [
    ${modules.join(",\n    ")}
  ],
  compatibilityDate = "2026-11-01",
  globalOutbound = "network",
);
`;
}
