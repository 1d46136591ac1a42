// The workers of our own engine: one that the engine lives in, and those that compute beside it. All are started here, by
// their owner: a worker that starts workers waits for its owner's event loop, and in Firefox now and then for ever.
import type { WorkerPort } from "../platform/worker-port.ts";
import { pressForCollection } from "../wasm/memory.ts";
import type { AddressBits } from "../wasm/memory.ts";
import { ThreadSlots } from "../wasm/thread-slots.ts";

/** First message to a worker that is to compute. It answers with {@link ComputeReady} when it can. */
export interface ComputeStart {
  readonly type: "compute";
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly bits: AddressBits;
  readonly slots: SharedArrayBuffer;
  readonly slot: number;
}
export interface ComputeReady {
  readonly type: "ready";
}

/** Milliseconds until a thread that does not come up is given up. */
const startMs = 10_000;

export interface ComputeThreads {
  readonly slots: ThreadSlots;
  /** How many came up. */
  readonly count: number;
  /** Why not all. */
  readonly why: readonly string[];
  /** Ends them. Idempotent. */
  end(): Promise<void>;
}

/** Starts threads that compute, as many as come up in time. */
export async function startComputeThreads(
  start: () => WorkerPort,
  wanted: number,
  shared: Pick<ComputeStart, "module" | "memory" | "bits">,
): Promise<ComputeThreads> {
  const slots = ThreadSlots.create(wanted);
  const workers = Array.from({ length: wanted }, (_, slot) => {
    const port = start();
    return { port, ready: readiness(port, { type: "compute", ...shared, slots: slots.buffer, slot }) };
  });
  const outcomes = await Promise.all(workers.map(({ ready }) => ready));
  const failures = outcomes.filter((outcome) => outcome !== undefined);
  const count = wanted - failures.length;
  await Promise.all(workers.filter((_, slot) => outcomes[slot] !== undefined).map(({ port }) => port.terminate()));
  const [first] = failures;
  const why =
    first === undefined
      ? []
      : [`It runs on ${count + 1} thread(s) instead of ${wanted + 1}: the others did not start (${first.message}).`];
  let ending: Promise<void> | undefined;
  return {
    slots,
    count,
    why,
    end() {
      ending ??= (async () => {
        // A thread that waits in Atomics.wait() is deaf to its host, and in Deno would keep the process alive.
        slots.stop();
        await Promise.all(workers.map(({ port }) => port.terminate()));
        pressForCollection();
      })();
      return ending;
    },
  };
}

/** Resolves with what went wrong, if anything did. */
function readiness(port: WorkerPort, message: ComputeStart): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(new Error(`no answer for ${startMs / 1000} seconds`)), startMs);
    const settle = (outcome?: Error): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    port.listen(() => settle(), settle);
    // What it computes is waited for elsewhere.
    port.keepAlive(false);
    port.post(message);
  });
}

/** A worker with threads beside it: they end when it does. */
export function withThreads(port: WorkerPort, threads: ComputeThreads): WorkerPort {
  return {
    ...port,
    async terminate() {
      await Promise.all([port.terminate(), threads.end()]);
    },
  };
}
