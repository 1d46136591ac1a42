// A server as its user starts it: a process of its own, in a folder of its own, ended by a signal.
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { delimiter, join } from "node:path";
import { root } from "../../scripts/command.ts";

export interface ServerEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface RunningServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** What it has said so far, on stdout and stderr. */
  output(): string;
  /** Sends a signal. */
  kill(signal: "SIGINT" | "SIGTERM"): void;
  /** Settles when it has ended. */
  readonly ended: Promise<ServerEnd>;
}

/**
 * Starts a server; it is there when it has said its port, as part of an address or to workerd's control stream.
 *
 * @throws {Error} with what it said, if it ends before
 */
export async function startServer(
  command: readonly [string, ...string[]],
  { cwd, env = {} }: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<RunningServer> {
  const [program, ...args] = command;
  const PATH = [join(root, "node_modules/.bin"), process.env["PATH"] ?? ""].join(delimiter);
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", PATH, ...env },
    // The fourth is workerd's control stream.
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // A group of its own: a launcher's child gets the signal too, as from a terminal.
    detached: true,
  });
  const { promise: port, resolve, reject } = Promise.withResolvers<string>();
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<ServerEnd>();
  let output = "";
  const listen = (text: string): void => {
    output += text;
    const found = /https?:\/\/[^\s/]*:(\d+)|"port":(\d+)/.exec(output);
    if (found) resolve(found[1] ?? found[2] ?? "");
  };
  // With these options all three are streams to read from.
  for (const stream of child.stdio.slice(1) as Readable[]) stream.setEncoding("utf8").on("data", listen);
  child.on("error", fail);
  child.on("close", (code, signal) => end({ code, signal }));
  void ended.then(
    () => reject(new Error(`${command.join(" ")} ended before it listened: ${output}`)),
    (error: unknown) => reject(error),
  );
  const kill = (signal: "SIGINT" | "SIGTERM" | "SIGKILL"): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group has ended already.
    }
  };
  const origin = `http://127.0.0.1:${await port}`;
  return {
    origin,
    output: () => output,
    kill,
    ended,
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await ended;
    },
  };
}
