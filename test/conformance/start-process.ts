import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
/** Installed by the stage "runtimes"; the oldest that the package promises. */
export const oldestNode = { version: "22.23.3", folder: ".cache/node-22" } as const;
/** Of this machine, as npm calls it. */
export const nodePackage: string = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const programs = {
  "node 22": { path: `${oldestNode.folder}/node_modules/${nodePackage}/bin/node`, flags: [] },
  node: { path: "node_modules/node/bin/node", flags: [] },
  deno: { path: "node_modules/deno/deno", flags: ["run", "-A", "--quiet"] },
  bun: { path: "node_modules/bun/bin/bun.exe", flags: [] },
} as const;

export type ProgramName = keyof typeof programs;

export interface ProcessEnd {
  readonly code: number | null;
  /** The last kilobytes of what it said on stderr. */
  readonly stderr: string;
}

/** Where a program is, or should be. */
export function programPath(program: ProgramName): string {
  return fileURLToPath(new URL(programs[program].path, root));
}

/**
 * Runs a module in Node, Deno or Bun, from the development dependencies, until it ends or the signal aborts.
 *
 * @throws {Error} if the runtime is not installed, saying how to get it
 */
export async function startProcess(
  program: ProgramName,
  args: readonly string[],
  { signal, onLine }: { signal: AbortSignal; onLine: (line: string) => void },
): Promise<ProcessEnd> {
  const { path, flags } = programs[program];
  const executable = programPath(program);
  if (!existsSync(executable)) {
    throw new Error(
      `Cannot run ${program}: ${path} is not there; install it with "npm ci" (with install scripts allowed), or "npm test -- --only runtimes"`,
    );
  }
  // A group of its own, so that nothing that it starts outlives it.
  const child = spawn(executable, [...flags, ...args], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group has ended already.
    }
  };
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-8192)));
  createInterface({ input: child.stdout }).on("line", onLine);
  signal.addEventListener("abort", kill, { once: true });
  process.once("exit", kill);
  if (signal.aborted) kill();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.on("error", reject);
    child.on("close", resolve);
    return { code: await promise, stderr };
  } finally {
    signal.removeEventListener("abort", kill);
    process.removeListener("exit", kill);
    kill();
  }
}
