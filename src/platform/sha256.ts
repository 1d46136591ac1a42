import { builtinModule, detectRuntime } from "./detect.ts";
import { PortableSha256 } from "./sha256-portable.ts";

/** A SHA-256 of bytes as they come. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** 64 hexadecimal digits; called once, at the end. */
  hex(): string;
}

interface NodeCrypto {
  createHash(name: "sha256"): { update(bytes: Uint8Array): unknown; digest(form: "hex"): string };
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Starts a digest: the host's own where it takes bytes piece by piece, else ours. */
export function createSha256(): Sha256 {
  const crypto = ["node", "deno", "bun"].includes(detectRuntime())
    ? builtinModule<NodeCrypto>("node:crypto")
    : undefined;
  if (crypto) {
    const hash = crypto.createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  }
  const hash = new PortableSha256();
  return { update: (bytes) => hash.update(bytes), hex: () => toHex(hash.digest()) };
}
