import type { AddressBits } from "../wasm/memory.ts";

/** One of the modules that the build makes. */
export interface Variant {
  readonly bits: AddressBits;
  /** Whether its memory is shared, so that it can have threads, and hear of a stop at once. */
  readonly shared: boolean;
  readonly simd: "relaxed" | "fixed";
}

/** What the host has. */
export interface VariantHost {
  readonly simd: "none" | "fixed" | "relaxed";
  readonly memory64: boolean;
  readonly sharedMemory: boolean;
}

export interface VariantWishes {
  readonly simd?: "auto" | "relaxed" | "fixed" | undefined;
  readonly memory?: "auto" | "wasm32" | "wasm64" | undefined;
  /** Bytes that the model takes with everything around it. */
  readonly neededBytes: number;
}

/** Bytes that a model may take in a 32-bit memory; the rest is room for what an estimate does not know. */
export const most32Bytes: number = 3.75 * 2 ** 30;

/** Why no module serves, in a sentence that says what would. */
export class NoVariant extends Error {
  override readonly name: string = "NoVariant";
}

/**
 * The fastest module that a host runs and a model fits into. Where both do, 32-bit addresses are faster: an engine checks
 * their bounds by the processor's pages. A module with 64-bit addresses is only there with threads and relaxed SIMD, since
 * every engine that has the first has both.
 *
 * @throws {NoVariant}
 */
export function chooseVariant(
  host: VariantHost,
  { simd = "auto", memory = "auto", neededBytes }: VariantWishes,
): Variant {
  if (host.simd === "none") throw new NoVariant("this host's WebAssembly has no SIMD; use a newer one");
  if (simd === "relaxed" && host.simd === "fixed") {
    throw new NoVariant('this host\'s WebAssembly has no relaxed SIMD; use simd: "fixed"');
  }
  const relaxed = host.simd === "relaxed" && simd !== "fixed";
  const large = memory === "wasm64" || (memory === "auto" && neededBytes > most32Bytes);
  if (!large) return { bits: 32, shared: host.sharedMemory, simd: relaxed ? "relaxed" : "fixed" };
  if (!host.memory64) throw new NoVariant("this host's WebAssembly has no 64-bit memory; use a host that has it");
  if (!host.sharedMemory) {
    throw new NoVariant(
      "a 64-bit memory is shared here, and this page may not share memory; make it cross-origin isolated",
    );
  }
  if (!relaxed) throw new NoVariant('with 64-bit memory the SIMD is relaxed; leave out simd: "fixed"');
  return { bits: 64, shared: true, simd: "relaxed" };
}
