/** A stream that text is written to. */
export interface Output {
  readonly isTTY: boolean;
  /** Characters a line; 80 where unknown. */
  readonly columns: number;
  /** Aborts when the reader has gone, as in `| head -1`; from then on writes do nothing. */
  readonly closed: AbortSignal;
  /** Resolves when the text was taken. */
  write(text: string): Promise<void>;
}

/** What is typed or piped in. */
export interface Input {
  readonly isTTY: boolean;
  /** Lines as they arrive, without their ends. */
  lines(signal: AbortSignal): AsyncIterable<string>;
  /** Everything up to the end. */
  text(signal: AbortSignal): Promise<string>;
}

/** Where a server listens. */
export interface Address {
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** A server that listens. */
export interface Listening {
  /** The one it has. */
  readonly port: number;
  /** Ends it, and what it still answers. */
  close(): Promise<void>;
}

export type FetchHandler = (request: Request) => Promise<Response>;

/** All that a command takes from the process it runs in. */
export interface Host {
  /** What follows the program's name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ruminate's own version. */
  readonly version: string;
  /** Versions of the runtime and its engine, by name. */
  readonly runtimes: Readonly<Record<string, string>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readText(path: string): Promise<string>;
  /**
   * Asks for one line on the terminal.
   *
   * @returns The line, or undefined at Ctrl-D.
   * @throws {Interrupted} at Ctrl-C
   */
  ask(question: string): Promise<string | undefined>;
  /**
   * Serves HTTP. A request's signal aborts when its client goes.
   *
   * @throws {Error} if the address can't be had
   */
  listen(handler: FetchHandler, address: Address): Promise<Listening>;
  /** Calls `listener` at each Ctrl-C, in place of the end of the process. Returns what undoes it. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Milliseconds from any fixed moment. */
  now(): number;
}

/** Ctrl-C: the command ends with 130, as shells expect. */
export class Interrupted extends Error {
  constructor() {
    super("Interrupted");
    this.name = "Interrupted";
  }
}

/** The arguments make no sense: exit code 2, with a hint. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/**
 * Runs `action` with a signal that aborts at Ctrl-C and when nobody reads the output any more. A second Ctrl-C ends the
 * process, should the action not heed the first.
 *
 * @throws {Interrupted} if Ctrl-C was pressed, however the action ended
 */
export async function interruptible<T>(host: Host, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const ignore = host.onInterrupt(() => {
    if (controller.signal.aborted) host.exit(130);
    else controller.abort(new Interrupted());
  });
  try {
    const value = await action(AbortSignal.any([controller.signal, host.stdout.closed]));
    controller.signal.throwIfAborted();
    return value;
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    ignore();
  }
}
