import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";

/** The checkout that this script stands in. */
export const root: string = dirname(import.meta.dirname);

export interface CommandResult {
  /** Exit code; 1 when the program could not start, was killed, or ran out of time. */
  readonly code: number;
  /** What it wrote to stdout and stderr, in order. */
  readonly output: string;
  /** What it wrote to stdout. */
  readonly stdout: string;
  readonly seconds: number;
}

export interface CommandOptions {
  /** Default: the checkout. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this the program is killed and counts as failed. Default: 10 minutes. */
  readonly timeoutMs?: number;
  /** Called with each piece of output as it comes. */
  readonly onoutput?: (text: string) => void;
}

/**
 * Runs one program to its end and never rejects: what went wrong is in `code` and `output`. The checkout's own tools,
 * its node among them, come first on PATH, whatever started this script.
 */
export function run(command: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd = root, env = {}, timeoutMs = 600_000, onoutput } = options;
  const [program, ...args] = command;
  const startedAt = performance.now();
  const pieces: string[] = [];
  const stdout: string[] = [];
  const PATH = [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what it started dies with it.
      detached: true,
    });
    const timer = setTimeout(() => {
      pieces.push(`\n${program} was still running after ${timeoutMs / 1000} s and was stopped\n`);
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, timeoutMs);
    const collect = (into: readonly string[][]) => (text: string) => {
      for (const list of into) list.push(text);
      onoutput?.(text);
    };
    child.stdout.setEncoding("utf8").on("data", collect([pieces, stdout]));
    child.stderr.setEncoding("utf8").on("data", collect([pieces]));
    const finish = (code: number): void => {
      clearTimeout(timer);
      const seconds = (performance.now() - startedAt) / 1000;
      resolve({ code, output: pieces.join(""), stdout: stdout.join(""), seconds });
    };
    child.on("error", (error) => {
      pieces.push(`Cannot start ${program}: ${error.message}\n`);
      finish(1);
    });
    child.on("close", (code) => finish(code ?? 1));
  });
}

/** Every line moved to the right, so that a program's output reads as part of a report. */
export function indent(text: string): string {
  return text.trimEnd().replaceAll(/^(?=.)/gm, "    ");
}
