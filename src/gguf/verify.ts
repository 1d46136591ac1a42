import { integrityError } from "../platform/integrity.ts";
import type { Integrity } from "../platform/integrity.ts";
import type { Sha256 } from "../platform/sha256.ts";
import { createSha256 } from "../platform/sha256.ts";
import type { WeightFile } from "./weight-file.ts";

const pieceBytes = 4 * 2 ** 20;

/** @throws {InferenceError} `integrity` if a SHA-256 is none of those wanted */
export function checkDigest(seen: string, wanted: Integrity, name: string): void {
  if (!wanted.digests.includes(seen)) throw integrityError(name, wanted, seen);
}

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onverify?: ((bytes: number, total: number) => void) | undefined;
  /** To go on with. */
  readonly hash?: Sha256;
}

/** Takes all bytes of a file that is here into a SHA-256. */
export async function hashFile(
  file: Pick<WeightFile, "size" | "read">,
  { signal, onverify, hash = createSha256() }: VerifyOptions = {},
): Promise<Sha256> {
  const into = new ArrayBuffer(pieceBytes);
  for (let at = 0; at < file.size;) {
    const piece = await file.read(at, pieceBytes, { into, ...(signal ? { signal } : {}) });
    // Cut short meanwhile: then the digest is another, which tells.
    if (piece.byteLength === 0) break;
    hash.update(piece);
    at += piece.byteLength;
    onverify?.(at, file.size);
  }
  return hash;
}

/** @throws {InferenceError} `integrity` if the file is not what is wanted; or `signal.reason` */
export async function verifyFile(file: WeightFile, wanted: Integrity, options: VerifyOptions): Promise<void> {
  checkDigest((await hashFile(file, options)).hex(), wanted, file.name);
}
