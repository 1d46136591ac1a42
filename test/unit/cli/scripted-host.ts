// A host without a process: streams are strings, the terminal types what the test says.
import type { Address, FetchHandler, Host, Output } from "../../../src/cli/host.ts";
import { Interrupted } from "../../../src/cli/host.ts";

export interface HostScript {
  arguments: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** What is piped in; without it, stdin is a terminal. */
  piped?: string;
  /** What is typed at each question; "^C" and "^D" are those keys. At the end: Ctrl-D. */
  typed?: readonly string[];
  stdoutIsTTY?: boolean;
  stderrIsTTY?: boolean;
  files?: Readonly<Record<string, string>>;
  /** Called with every text written, before it is taken. */
  onWrite?: (text: string, host: ScriptedHost) => void;
}

export interface ScriptedHost extends Host {
  readonly out: () => string;
  readonly err: () => string;
  /** Presses Ctrl-C. */
  interrupt: () => void;
  /** Lets the reader of stdout go. */
  hangUp: () => void;
  readonly exits: readonly number[];
  /** What listens, or has listened. */
  readonly servers: readonly ScriptedServer[];
  /** How many listen for Ctrl-C. */
  readonly listening: () => number;
  readonly questions: () => number;
  advance: (milliseconds: number) => void;
}

export interface ScriptedServer {
  readonly handler: FetchHandler;
  readonly address: Address;
  isOpen: boolean;
}

export function createScriptedHost(script: HostScript): ScriptedHost {
  const written = { out: "", err: "" };
  const listeners = new Set<() => void>();
  const exits: number[] = [];
  const servers: ScriptedServer[] = [];
  const typed = [...(script.typed ?? [])];
  const hungUp = new AbortController();
  let questions = 0;
  let time = 0;
  const output = (name: "out" | "err", isTTY: boolean): Output => ({
    isTTY,
    columns: 80,
    closed: name === "out" ? hungUp.signal : new AbortController().signal,
    write(text) {
      script.onWrite?.(text, host);
      if (name === "err" || !hungUp.signal.aborted) written[name] += text;
      return Promise.resolve();
    },
  });
  const host: ScriptedHost = {
    arguments: script.arguments,
    environment: script.environment ?? {},
    version: "1.2.3",
    runtimes: { node: "24.0.0" },
    stdin: {
      isTTY: script.piped === undefined,
      text: (signal) => Promise.resolve(signal.throwIfAborted()).then(() => script.piped ?? ""),
      async *lines(signal) {
        for (const line of (script.piped ?? "").split("\n")) {
          signal.throwIfAborted();
          yield line;
        }
      },
    },
    stdout: output("out", script.stdoutIsTTY ?? false),
    stderr: output("err", script.stderrIsTTY ?? false),
    readText: (path) => {
      const text = script.files?.[path];
      return text === undefined ? Promise.reject(new Error(`ENOENT: no such file: ${path}`)) : Promise.resolve(text);
    },
    ask: () => {
      questions += 1;
      const line = typed.shift();
      if (line === "^C") return Promise.reject(new Interrupted());
      return Promise.resolve(line === "^D" ? undefined : line);
    },
    listen(handler, address) {
      if (address.port === 1) return Promise.reject(new Error("Cannot listen on it: the port is in use"));
      const server = { handler, address, isOpen: true };
      servers.push(server);
      const close = (): Promise<void> => Promise.resolve(void (server.isOpen = false));
      return Promise.resolve({ port: address.port || 40_000, close });
    },
    onInterrupt(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exit: (code) => void exits.push(code),
    now: () => time,
    out: () => written.out,
    err: () => written.err,
    interrupt: () => [...listeners].forEach((listener) => listener()),
    hangUp: () => hungUp.abort(),
    exits,
    servers,
    listening: () => listeners.size,
    questions: () => questions,
    advance: (milliseconds) => {
      time += milliseconds;
    },
  };
  return host;
}
