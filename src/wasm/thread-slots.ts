// How the engine's thread hands work to threads that wait for it: a few numbers in shared memory for each, and no messages,
// since neither side gets to its event loop while it computes.
import type { LibraryExports } from "./imports.ts";
import { moduleImports } from "./imports.ts";
import { ModuleMemory } from "./memory.ts";
import type { AddressBits } from "./memory.ts";

/** A function of the module to run on a thread; numbers are addresses. */
export interface ThreadTask {
  readonly thread: number;
  readonly start: number;
  readonly argument: number;
  readonly stackLow: number;
  readonly stackHigh: number;
}

const absent = 0;
const idle = 1;
const taken = 2;
const given = 3;
const stopped = 4;
/** A slot: its state in a double's place, and the numbers of a task. */
const slotBytes = 6 * 8;
/** Before the slots: the address of the module's cancel flag. */
const headBytes = 8;
/** How long a thread that is about to be idle is waited for, in milliseconds. */
const handoverMs = 1000;

/** The slots of all threads, over memory that they share. */
export class ThreadSlots {
  readonly buffer: SharedArrayBuffer;
  /** Of threads that are there. */
  readonly count: number;
  readonly #slots: number;

  constructor(buffer: SharedArrayBuffer, count?: number) {
    this.buffer = buffer;
    this.#slots = (buffer.byteLength - headBytes) / slotBytes;
    this.count = count ?? this.#slots;
  }

  static create(slots: number): ThreadSlots {
    return new ThreadSlots(new SharedArrayBuffer(headBytes + slots * slotBytes));
  }

  /** Gives a task to a thread that waits. @returns Whether there was one. */
  give(task: ThreadTask): boolean {
    const deadline = performance.now() + handoverMs;
    do {
      for (let slot = 0; slot < this.#slots; slot += 1) {
        const state = this.#state(slot);
        if (Atomics.compareExchange(state, 0, idle, taken) !== idle) continue;
        this.#task(slot).set([task.thread, task.start, task.argument, task.stackLow, task.stackHigh]);
        Atomics.store(state, 0, given);
        Atomics.notify(state, 0);
        return true;
      }
    } while (performance.now() < deadline);
    return false;
  }

  /** From now on a slot's thread can be given tasks. */
  open(slot: number): void {
    Atomics.compareExchange(this.#state(slot), 0, absent, idle);
  }

  /** Waits for a task; undefined: there will be none. Blocks the thread. */
  wait(slot: number): ThreadTask | undefined {
    const state = this.#state(slot);
    for (;;) {
      const now = Atomics.load(state, 0);
      if (now === stopped) return undefined;
      if (now === given) break;
      Atomics.wait(state, 0, now);
    }
    const [thread = 0, start = 0, argument = 0, stackLow = 0, stackHigh = 0] = this.#task(slot);
    return { thread, start, argument, stackLow, stackHigh };
  }

  done(slot: number): void {
    Atomics.compareExchange(this.#state(slot), 0, given, idle);
  }

  /** Lets all threads that wait go. */
  stop(): void {
    for (let slot = 0; slot < this.#slots; slot += 1) {
      Atomics.store(this.#state(slot), 0, stopped);
      Atomics.notify(this.#state(slot), 0);
    }
  }

  /** Where in the module's memory a 1 stops what is evaluated. */
  setCancelFlag(address: number): void {
    new Float64Array(this.buffer, 0, 1)[0] = address;
  }

  /** Stops what the engine evaluates, from another thread. */
  interrupt(memory: WebAssembly.Memory): void {
    const [address = 0] = new Float64Array(this.buffer, 0, 1);
    if (address !== 0) new DataView(memory.buffer).setInt32(address, 1, true);
  }

  #state(slot: number): Int32Array {
    return new Int32Array(this.buffer, headBytes + slot * slotBytes, 1);
  }

  #task(slot: number): Float64Array {
    return new Float64Array(this.buffer, headBytes + slot * slotBytes + 8, slotBytes / 8 - 1);
  }
}

export interface ComputeThread {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly bits: AddressBits;
  readonly slots: ThreadSlots;
  readonly slot: number;
}

interface ComputeExports extends LibraryExports {
  readonly __indirect_function_table: WebAssembly.Table;
  emscripten_stack_set_limits(high: unknown, low: unknown): void;
  _emscripten_stack_restore(high: unknown): void;
  _emscripten_thread_exit(result: unknown): void;
}

/**
 * Instantiates the module on this thread, tells so, and then runs what it is given until it is to stop.
 *
 * @param ready Called when it can take tasks; from then on the thread blocks.
 */
export async function compute(options: ComputeThread, ready: () => void): Promise<void> {
  const { module, bits, slots, slot } = options;
  const memory = new ModuleMemory(options.memory, bits);
  const started: { exports?: ComputeExports } = {};
  const exports = (): ComputeExports => {
    if (!started.exports) throw new Error("the module is not instantiated yet");
    return started.exports;
  };
  const imports = moduleImports(module, {
    memory,
    threads: slots.count + 1,
    isFirst: false,
    exports,
    onRefusedGrowth: () => undefined,
  });
  const instance = await WebAssembly.instantiate(module, imports);
  // What Emscripten's library exports where there are threads.
  started.exports = instance.exports as unknown as ComputeExports;
  slots.open(slot);
  ready();
  for (let task = slots.wait(slot); task; task = slots.wait(slot)) {
    const { thread, start, argument, stackLow, stackHigh } = task;
    const own = exports();
    own.emscripten_stack_set_limits(memory.address(stackHigh), memory.address(stackLow));
    own._emscripten_stack_restore(memory.address(stackHigh));
    own._emscripten_thread_init(memory.address(thread), 0, 0, 1, 0, 0);
    own._emscripten_tls_init();
    // A table with 64-bit indices takes bigints, which the DOM's types do not know yet.
    const entry: (argument: unknown) => unknown = own.__indirect_function_table.get(memory.address(start) as number);
    own._emscripten_thread_exit(entry(memory.address(argument)));
    slots.done(slot);
  }
}
