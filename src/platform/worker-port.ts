/** A worker as its owner sees it, whatever the host calls it. */
export interface WorkerPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Called once. `onFailure`: the worker did not start, threw, or ended by itself. */
  listen(onMessage: (message: unknown) => void, onFailure: (reason: Error) => void): void;
  /** Whether the worker keeps the process alive; it does at first. */
  keepAlive(value: boolean): void;
  /** Idempotent. */
  terminate(): Promise<void>;
}

/** A worker's way to its owner. */
export interface ParentPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Called once. */
  listen(onMessage: (message: unknown) => void): void;
}
