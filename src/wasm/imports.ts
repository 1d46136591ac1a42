// What a module imports: the little of a system that C's library asks for. There are no files, no terminal, no exit.
import type { ModuleMemory } from "./memory.ts";

export interface ImportOptions {
  readonly memory: ModuleMemory;
  readonly threads: number;
  /** Memory could not grow by as much as was wanted. */
  readonly onRefusedGrowth: () => void;
  /** Runs `start(argument)` on another thread. @returns Whether one was free. */
  readonly startThread?: (thread: number, start: number, argument: number) => boolean;
  /** The module's own exports, once it is instantiated. */
  readonly exports: () => LibraryExports;
  /** Whether this is the thread that others are started from. */
  readonly isFirst: boolean;
}

/** What Emscripten's library exports for what it imports; all but the first with threads alone. */
export interface LibraryExports {
  __trap(): never;
  _emscripten_thread_init(thread: unknown, isMain: 0, isRuntime: 0 | 1, canBlock: 1, stack: number, profile: 0): void;
  _emscripten_tls_init(): unknown;
  _emscripten_thread_free_data(thread: unknown): void;
}

// The numbers of musl.
const errorAgain = 6;
const errorNoSystem = -52;
const stackBytes = 2 ** 20;

/** The imports of a module, by its module and name. */
export function moduleImports(module: WebAssembly.Module, options: ImportOptions): WebAssembly.Imports {
  const { memory, exports } = options;
  const growth = { refused: options.onRefusedGrowth };
  // A trap: an exception would be caught on its way by what C++ cleans up with.
  const abort = (): never => exports().__trap();
  const known: Record<string, unknown> = {
    memory: memory.memory,
    _abort_js: abort,
    exit: abort,
    emscripten_get_now: () => performance.now(),
    emscripten_num_logical_cores: () => options.threads,
    emscripten_get_heap_max: () => memory.address(memory.maximumBytes),
    emscripten_resize_heap: (size: unknown) => {
      if (memory.growTo(Number(size))) return 1;
      growth.refused();
      return 0;
    },
    clock_time_get: (_clock: number, _precision: bigint, out: unknown) => {
      memory.view().setBigInt64(Number(out), BigInt(Math.round(performance.now() * 1e6)), true);
      return 0;
    },
    random_get: (out: unknown, size: unknown) => {
      // Shared memory can't be filled in place.
      const bytes = crypto.getRandomValues(new Uint8Array(Number(size)));
      memory.bytes(Number(out), bytes.byteLength).set(bytes);
      return 0;
    },
    environ_sizes_get: (count: unknown, size: unknown) => {
      memory.setAddress(Number(count), 0);
      memory.setAddress(Number(size), 0);
      return 0;
    },
    environ_get: () => 0,
    fd_write: (...[, vectors, count, written]: readonly unknown[]) => {
      memory.setAddress(Number(written), memory.vectorBytes(Number(vectors), Number(count)));
      return 0;
    },
    _tzset_js: nothing,
    __pthread_create_js: (...[thread, , start, argument]: readonly unknown[]) =>
      options.startThread?.(Number(thread), Number(start), Number(argument)) ? 0 : errorAgain,
    _emscripten_init_main_thread_js: (thread: unknown) => {
      exports()._emscripten_thread_init(thread, 0, options.isFirst ? 1 : 0, 1, stackBytes, 0);
      exports()._emscripten_tls_init();
    },
    _emscripten_thread_cleanup: (thread: unknown) => exports()._emscripten_thread_free_data(thread),
    _emscripten_thread_set_strongref: nothing,
    _emscripten_thread_mailbox_await: nothing,
    _emscripten_notify_mailbox_postmessage: nothing,
    _emscripten_receive_on_main_thread_js: nothing,
    emscripten_check_blocking_allowed: nothing,
    emscripten_exit_with_live_runtime: nothing,
  };
  const imports: Record<string, Record<string, unknown>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    // The rest are calls on files.
    (imports[from] ??= {})[name] = known[name] ?? ((): number => errorNoSystem);
  }
  // Only functions and the memory are in it.
  return imports as WebAssembly.Imports;
}

function nothing(): void {
  // What it would do, C's library does without.
}
