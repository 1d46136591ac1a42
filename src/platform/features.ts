import { builtinModule, detectRuntime } from "./detect.ts";

/** What the host can do, and for each thing that it cannot, why, in a sentence that says how to get it. */
export interface Features {
  /** At least 1. */
  readonly threads: number;
  readonly simd: "none" | "fixed" | "relaxed";
  readonly memory64: boolean;
  /** Bytes that an engine may take. */
  readonly maxMemory: number;
  readonly webgpu: boolean;
  readonly crossOriginIsolated: boolean;
  readonly why: readonly string[];
}

/** Bytes that an engine's module can have with 32-bit and with 64-bit addresses; the latter is V8's own limit. */
const most32Bytes = 2 ** 32;
const most64Bytes = 2 ** 34;
const wasmHeader = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
// A function type () -> v128, and a function of it; its body follows.
const vectorFunction = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00];
const zero = [0x41, 0x00, 0xfd, 0x0f]; // i32.const 0, i8x16.splat

/** What WebAssembly can do here. Asks for no adapter of a GPU, which some hosts take a tenth of a second to find. */
export function wasmFeatures(): Pick<Features, "simd" | "memory64" | "maxMemory"> {
  const simd = simdSupport();
  const memory64 = supportsMemory64();
  // A 64-bit memory is always shared here.
  const isLarge = memory64 && simd === "relaxed" && typeof SharedArrayBuffer !== "undefined";
  return { simd, memory64, maxMemory: isLarge ? most64Bytes : most32Bytes };
}

/** Looks at the host, and changes nothing. */
export async function probeFeatures(): Promise<Features> {
  const why: string[] = [];
  const { threads, why: whyNoThreads } = threadSupport();
  why.push(...whyNoThreads);
  const { simd, memory64, maxMemory } = wasmFeatures();
  if (simd === "none") why.push("No SIMD: this host's WebAssembly lacks it; use a newer one.");
  if (simd === "fixed") why.push("No relaxed SIMD: this host's WebAssembly lacks it; a newer one makes models faster.");
  if (!memory64) {
    why.push(
      "No 64-bit memory: this host's WebAssembly lacks it, so a model may take 4 GiB; Node 24, Deno, Chromium 133 and Firefox 134 or newer have it.",
    );
  }
  const webgpu = await hasGpu();
  if (!webgpu) why.push("No WebGPU: this host offers no adapter; models run on the processor.");
  return {
    threads,
    simd,
    memory64,
    maxMemory,
    webgpu,
    crossOriginIsolated: isolated(),
    why,
  };
}

/** How many threads may run at once, and why only one. */
export function threadSupport(): { readonly threads: number; readonly why: readonly string[] } {
  if (typeof SharedArrayBuffer === "undefined") {
    const how = isolated()
      ? "use a host that has it"
      : "serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
    return { threads: 1, why: [`One thread only: SharedArrayBuffer is missing; ${how}.`] };
  }
  const cores = typeof navigator === "undefined" ? processorCount() : navigator.hardwareConcurrency;
  if (!cores || cores < 2) return { threads: 1, why: ["One thread only: this host reports one processor core."] };
  return { threads: cores, why: [] };
}

function processorCount(): number | undefined {
  return builtinModule<{ availableParallelism?(): number }>("node:os")?.availableParallelism?.();
}

/** Whether memories and tables may have 64-bit addresses; some hosts have the one without the other. */
export function supportsMemory64(): boolean {
  // One memory and one table of functions, both with 64-bit limits of no pages and no elements.
  return validates([0x04, 0x04, 0x01, 0x70, 0x04, 0x00], [0x05, 0x03, 0x01, 0x04, 0x00]);
}

function simdSupport(): Features["simd"] {
  // i32x4.relaxed_dot_i8x16_i7x16_add_s of three zeros, after that i8x16.popcnt of one.
  if (validates(vectorFunction, code([...zero, ...zero, ...zero, 0xfd, 0x93, 0x02]))) return "relaxed";
  return validates(vectorFunction, code([...zero, 0xfd, 0x62])) ? "fixed" : "none";
}

/** The code section of one function without locals. */
function code(body: readonly number[]): number[] {
  return [0x0a, body.length + 4, 0x01, body.length + 2, 0x00, ...body, 0x0b];
}

function validates(...sections: readonly (readonly number[])[]): boolean {
  if (typeof WebAssembly === "undefined") return false;
  return WebAssembly.validate(Uint8Array.from([...wasmHeader, ...sections.flat()]));
}

function isolated(): boolean {
  // Outside browsers there is nothing to be isolated from.
  if (detectRuntime() !== "browser") return typeof SharedArrayBuffer !== "undefined";
  return globalThis.crossOriginIsolated === true;
}

async function hasGpu(): Promise<boolean> {
  // The DOM's types of this compiler have no WebGPU.
  const { navigator }: { navigator?: { gpu?: { requestAdapter(): Promise<unknown> } } } = globalThis as object;
  try {
    const adapter = await navigator?.gpu?.requestAdapter();
    return adapter !== null && adapter !== undefined;
  } catch {
    return false;
  }
}
