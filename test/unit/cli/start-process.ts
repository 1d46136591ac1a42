// Starts the command line as a process, waits for what it says, and types at it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Script } from "./scripted-sdk.ts";

const root = join(import.meta.dirname, "../../..");
const bin = join(root, "node_modules/.bin");

export type RuntimeName = "node" | "deno" | "bun";
export const runtimeNames: readonly RuntimeName[] = ["node", "deno", "bun"];

const commands: Readonly<Record<RuntimeName, readonly [string, ...string[]]>> = {
  node: [process.execPath],
  deno: [join(bin, "deno"), "run", "-A"],
  bun: [join(bin, "bun"), "run"],
};

export interface StartOptions {
  /** Plays this script; without it, the real program runs. */
  script?: Script;
  environment?: Readonly<Record<string, string>>;
  /** Under a terminal of its own; out and err are one there, and typing ends in "\r". */
  terminal?: boolean;
}

export interface Started {
  out: () => string;
  err: () => string;
  /** Resolves when `text` was written to either stream. */
  said: (text: string) => Promise<void>;
  type: (text: string) => void;
  endInput: () => void;
  signal: (name: "SIGINT") => void;
  /** Closes the reading end of stdout. */
  hangUp: () => void;
  code: Promise<number | null>;
}

export function startProgram(runtime: RuntimeName, words: readonly string[], options: StartOptions = {}): Started {
  const { script, environment = {}, terminal = false } = options;
  const main = join(root, script ? "test/unit/cli/scripted-main.ts" : "src/cli/main.ts");
  const [command, ...before] = commands[runtime];
  const all = [command, ...before, main, ...words];
  const shell = all.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  const child = terminal
    ? spawn("script", ["--quiet", "--return", "--echo", "never", "--command", shell, "/dev/null"], { env: env() })
    : spawn(command, all.slice(1), { env: env() });
  let out = "";
  let err = "";
  let heard = Promise.withResolvers<void>();
  const hear = (): void => {
    heard.resolve();
    heard = Promise.withResolvers();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    hear();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    hear();
  });
  // It may end before everything was typed; what it says of that is in its exit code.
  child.stdin.on("error", () => {});
  let isOver = false;
  const closed = once(child, "close").then(() => {
    isOver = true;
    hear();
  });

  function env(): NodeJS.ProcessEnv {
    const { NO_COLOR: _no, FORCE_COLOR: _force, ...inherited } = process.env;
    return { ...inherited, TERM: "xterm", SCRIPT: JSON.stringify(script ?? {}), ...environment };
  }

  return {
    out: () => out,
    err: () => err,
    async said(text) {
      while (!out.includes(text) && !err.includes(text)) {
        if (isOver) throw new Error(`It ended without saying ${JSON.stringify(text)}; out: ${out}; err: ${err}`);
        await heard.promise;
      }
    },
    type: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    signal: (name) => void child.kill(name),
    hangUp: () => void child.stdout.destroy(),
    code: closed.then(() => child.exitCode),
  };
}
