import type { Host, Input, Output } from "./host.ts";
import { Interrupted } from "./host.ts";
import type { HttpModule } from "./http-server.ts";
import { listen } from "./http-server.ts";

// What Node, Deno and Bun share of `process` and its modules; their types are not among this project's.
interface Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done: (error?: SystemError | null) => void): boolean;
  on(event: "error", listener: (error: SystemError) => void): unknown;
}
interface Readable extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean;
}
type SystemError = Error & { readonly code?: string };
export interface Process {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  on(event: "SIGINT", listener: () => void): unknown;
  off(event: "SIGINT", listener: () => void): unknown;
  exit(code: number): never;
  getBuiltinModule(name: "node:fs/promises"): { readFile(path: string, encoding: "utf8"): Promise<string> };
  getBuiltinModule(name: "node:http"): HttpModule;
  getBuiltinModule(name: "node:readline"): { createInterface(options: object): LineEditor };
  getBuiltinModule(name: "node:fs"): { readFileSync(path: URL, encoding: "utf8"): string };
}
interface LineEditor {
  /** What is typed, not entered. */
  readonly line: string;
  on(event: "line", listener: (line: string) => void): unknown;
  on(event: "history", listener: (history: string[]) => void): unknown;
  on(event: "SIGINT" | "close", listener: () => void): unknown;
  prompt(): void;
  write(text: string): void;
  close(): void;
}

/** What a write meets when the reader has gone: POSIX, Windows, and a stream that has already noticed. */
const goneCodes: readonly string[] = [
  "EPIPE",
  "EOF",
  "ECONNRESET",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
];

/** The host that a process of Node, Deno or Bun is. */
export function createProcessHost(process: Process, version: string): Host {
  const { stdin, env, versions } = process;
  const names = ["deno", "bun", "node", "v8"].filter((name) => versions[name] !== undefined);
  const stdout = createOutput(process.stdout, ({ code }) => goneCodes.includes(code ?? ""));
  // Where errors are told, there is nowhere to tell its own.
  const stderr = createOutput(process.stderr, () => true);
  return {
    arguments: process.argv.slice(2),
    environment: env,
    version,
    runtimes: Object.fromEntries(names.map((name) => [name, versions[name] ?? ""])),
    stdin: createInput(stdin),
    stdout,
    stderr,
    readText: (path) => process.getBuiltinModule("node:fs/promises").readFile(path, "utf8"),
    ask: createAsk(process),
    listen: (handler, address) => listen(process.getBuiltinModule("node:http"), handler, address),
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      return () => void process.off("SIGINT", listener);
    },
    exit: (code) => process.exit(code),
    now: () => performance.now(),
  };
}

/** `isGone`: which failures mean that nobody reads any more, rather than that something is wrong. */
function createOutput(stream: Writable, isGone: (error: SystemError) => boolean): Output {
  const gone = new AbortController();
  let failure: SystemError | undefined;
  const fail = (error: SystemError): void => {
    if (isGone(error)) gone.abort(error);
    else failure = error;
  };
  // Without a listener a failed write would end the process with a stack.
  stream.on("error", fail);
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      // A terminal that does not know its size says 0.
      return stream.columns || 80;
    },
    closed: gone.signal,
    async write(text) {
      // Deno throws from a write to a full disk, and never calls back for the next one.
      if (failure) throw failure;
      if (gone.signal.aborted || text === "") return;
      const { promise, resolve } = Promise.withResolvers<void>();
      try {
        stream.write(text, (error) => {
          if (error) fail(error);
          resolve();
        });
        await promise;
      } catch (error) {
        // What streams throw are errors of the system.
        fail(error as SystemError);
      }
      if (failure) throw failure;
    },
  };
}

function createInput(stream: Readable): Input {
  return {
    isTTY: stream.isTTY === true,
    async text(signal) {
      let text = "";
      for await (const piece of decoded(stream, signal)) text += piece;
      return text;
    },
    async *lines(signal) {
      let rest = "";
      for await (const piece of decoded(stream, signal)) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) yield line.replace(/\r$/, "");
      }
      if (rest !== "") yield rest;
    },
  };
}

/** Text as it arrives. An abort does not wait for the next piece, which may never come. */
async function* decoded(stream: Readable, signal: AbortSignal): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const pieces = stream[Symbol.asyncIterator]();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const { done, value } = await Promise.race([pieces.next(), aborted]);
      if (done) break;
      yield decoder.decode(value, { stream: true });
    }
    const last = decoder.decode();
    if (last !== "") yield last;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * One line editor a question: between questions the terminal is in its usual mode, so that Ctrl-C is a signal there.
 * What was pasted or typed beyond the line is kept for the next question.
 */
function createAsk(process: Process): Host["ask"] {
  const waiting: string[] = [];
  let unfinished = "";
  let history: string[] = [];
  return (prompt) => {
    const next = waiting.shift();
    const output = process.stdout.isTTY ? process.stdout : process.stderr;
    if (next !== undefined) {
      output.write(`${prompt}${next}\n`, () => {});
      return Promise.resolve(next);
    }
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const editor = process.getBuiltinModule("node:readline").createInterface({
      input: process.stdin,
      output,
      terminal: true,
      prompt,
      history,
      historySize: 500,
      removeHistoryDuplicates: true,
    });
    let isAnswered = false;
    editor.on("history", (entries) => {
      history = [...entries];
    });
    editor.on("line", (line) => {
      if (isAnswered) return waiting.push(line);
      isAnswered = true;
      resolve(line);
      // Later, so that the other lines of the same paste are still seen.
      return queueMicrotask(() => {
        unfinished = editor.line;
        editor.close();
      });
    });
    editor.on("SIGINT", () => {
      reject(new Interrupted());
      editor.close();
    });
    editor.on("close", () => {
      if (!isAnswered) output.write("\n", () => {});
      resolve(undefined);
    });
    editor.prompt();
    if (unfinished !== "") editor.write(unfinished);
    unfinished = "";
    return promise;
  };
}
