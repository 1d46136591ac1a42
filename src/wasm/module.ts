import { InferenceError } from "../errors.ts";
import { abiVersion, signatures, statusCodes } from "./abi.ts";
import type { ExportName, Fields, Layout } from "./abi.ts";
import { moduleImports } from "./imports.ts";
import type { LibraryExports } from "./imports.ts";
import { layoutBytes, ModuleMemory } from "./memory.ts";
import type { AddressBits } from "./memory.ts";
import type { ThreadSlots } from "./thread-slots.ts";

export interface InstantiateOptions {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly bits: AddressBits;
  /** Threads that wait for work; none: everything runs in this one. */
  readonly slots?: ThreadSlots;
}

/** A call that came back with a status other than 0. */
export class CallFailure extends Error {
  override readonly name: string = "CallFailure";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Exported = Record<string, (...values: (number | bigint)[]) => number | bigint | undefined>;

/** A module that runs: its exports, called with plain numbers. */
export class WasmModule {
  readonly memory: ModuleMemory;
  readonly #exports: Exported;
  readonly #growth: { refused: boolean };
  #dead: InferenceError | undefined;

  private constructor(exports: Exported, memory: ModuleMemory, growth: { refused: boolean }) {
    this.#exports = exports;
    this.memory = memory;
    this.#growth = growth;
  }

  /**
   * Instantiates a module on this thread and starts it.
   *
   * @throws {InferenceError} `unsupported` if the module is of another version; `crashed` if it does not start
   */
  static async start({ module, memory: given, bits, slots }: InstantiateOptions): Promise<WasmModule> {
    const memory = new ModuleMemory(given, bits);
    const growth = { refused: false };
    const started: { own?: WasmModule; exports?: LibraryExports } = {};
    const threads = 1 + (slots?.count ?? 0);
    const imports = moduleImports(module, {
      memory,
      threads,
      isFirst: true,
      onRefusedGrowth: () => (growth.refused = true),
      exports: () => {
        if (!started.exports) throw new Error("the module is not instantiated yet");
        return started.exports;
      },
      ...(slots && {
        startThread: (thread: number, start: number, argument: number) =>
          started.own !== undefined && slots.give({ thread, start, argument, ...started.own.#stackOf(thread) }),
      }),
    });
    const { exports } = await WebAssembly.instantiate(module, imports);
    // Emscripten's library exports these where it imports the functions that use them.
    started.exports = exports as unknown as LibraryExports;
    const own = new WasmModule(exports as Exported, memory, growth);
    started.own = own;
    own.#exports["__wasm_call_ctors"]?.();
    const version = own.call("ruminate_abi_version");
    if (version !== abiVersion) {
      throw new InferenceError(
        "unsupported",
        `Cannot use this WebAssembly module: its interface has version ${version}, and version ${abiVersion} is wanted; use the one that came with this package`,
      );
    }
    own.run("start the engine", "ruminate_start", threads);
    return own;
  }

  /** Whether it trapped: nothing can be called any more. */
  get isDead(): boolean {
    return this.#dead !== undefined;
  }

  /**
   * Calls an export.
   *
   * @returns What it returns; a status other than 0 is thrown.
   * @throws {CallFailure}
   * @throws {InferenceError} `crashed` if the module traps, now or before
   */
  call(name: ExportName, ...values: number[]): number {
    if (this.#dead) throw this.#dead;
    const [kinds, returns] = signatures[name];
    const exported = this.#exports[name];
    if (!exported) throw new InferenceError("unsupported", `Cannot use this WebAssembly module: it lacks ${name}`);
    const given = values.map((value, index) => {
      const kind = kinds[index];
      if (kind === "p") return this.memory.address(value);
      return kind === "l" ? BigInt(value) : value;
    });
    this.#growth.refused = false;
    let result: number;
    try {
      result = Number(exported(...given) ?? 0);
    } catch (error) {
      throw this.#crash(name, error);
    }
    if (returns === "p" && this.memory.bits === 32) return result >>> 0;
    if (returns !== "s" || result === 0) return result;
    // llama.cpp says in many ways that there was no memory; the heap knows best.
    throw new CallFailure(this.#growth.refused ? 3 : result, this.message());
  }

  /**
   * Calls an export for an action that the error can name.
   *
   * @throws {InferenceError} with the status's code
   */
  run(action: string, name: ExportName, ...values: number[]): number {
    try {
      return this.call(name, ...values);
    } catch (error) {
      throw failureOf(action, error);
    }
  }

  message(): string {
    return this.memory.text(this.call("ruminate_message"));
  }

  /** Runs `work` with some bytes of the module's memory, which are free again afterwards. */
  withBytes<T>(length: number, work: (at: number) => T): T {
    const at = this.allocate(length);
    try {
      return work(at);
    } finally {
      if (!this.#dead) this.call("free", at);
    }
  }

  /** @throws {InferenceError} `memory` */
  allocate(length: number): number {
    // A larger number would be cut to 32 bits.
    const at = length <= this.memory.maximumBytes ? this.call("malloc", Math.max(1, length)) : 0;
    if (at !== 0) return at;
    throw new InferenceError(
      "memory",
      `Cannot go on: the engine's memory of ${this.memory.sizeBytes} bytes can't grow by ${length}; use a smaller model or context`,
      { details: { needed: length } },
    );
  }

  /** Runs `work` with the address of bytes that are copied in. */
  withCopy<T>(bytes: ArrayBufferView, work: (at: number) => T): T {
    return this.withBytes(bytes.byteLength, (at) => {
      this.memory.bytes(at, bytes.byteLength).set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return work(at);
    });
  }

  withFields<L extends Layout, T>(layout: L, fields: Fields<L>, work: (at: number) => T): T {
    return this.withBytes(layoutBytes(layout), (at) => {
      this.memory.writeFields(at, layout, fields);
      return work(at);
    });
  }

  /** What a call writes into a structure. */
  fieldsOf<L extends Layout>(layout: L, call: (at: number) => void): Fields<L> {
    return this.withBytes(layoutBytes(layout), (at) => {
      call(at);
      return this.memory.readFields(at, layout);
    });
  }

  /** The address that a call writes. */
  addressOf(call: (at: number) => void): number {
    return this.withBytes(8, (at) => {
      call(at);
      return this.memory.readAddress(at);
    });
  }

  #stackOf(thread: number): { stackLow: number; stackHigh: number } {
    return this.withBytes(16, (at) => {
      this.call("ruminate_thread_stack", thread, at, at + 8);
      return { stackLow: this.memory.int64(at), stackHigh: this.memory.int64(at + 8) };
    });
  }

  #crash(name: ExportName, cause: unknown): InferenceError {
    let words = cause instanceof Error ? cause.message : String(cause);
    try {
      // What llama.cpp said before it gave up, if it did.
      const message = Number(this.#exports["ruminate_message"]?.() ?? 0);
      const last = this.memory.text(this.memory.bits === 32 ? message >>> 0 : message);
      if (last !== "" && name !== "ruminate_message") words = `${last} (${words})`;
    } catch {
      // Then there is only the trap.
    }
    this.#dead = this.#growth.refused
      ? new InferenceError("memory", `Cannot go on: the engine ran out of memory in ${name}: ${words}`, { cause })
      : new InferenceError("crashed", `Cannot go on with this engine: it trapped in ${name}: ${words}`, { cause });
    return this.#dead;
  }
}

/** A call's failure in terms of what was to be done. */
export function failureOf(action: string, error: unknown): unknown {
  if (!(error instanceof CallFailure)) return error;
  return new InferenceError(statusCodes[error.status] ?? "crashed", `Cannot ${action}: ${error.message}`, {
    cause: error,
  });
}
