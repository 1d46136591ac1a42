import { InferenceError } from "../errors.ts";
import { createSha256, toHex } from "./sha256.ts";

/** Digests of one algorithm, in hexadecimal, any of which will do. */
export interface Integrity {
  readonly algorithm: "sha256" | "sha384" | "sha512";
  readonly digests: readonly string[];
}

const lengths: Readonly<Record<Integrity["algorithm"], number>> = { sha256: 64, sha384: 96, sha512: 128 };

function fromBase64(text: string): string {
  return toHex(Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0)));
}

function parseDigest(text: string): { algorithm: Integrity["algorithm"]; digest: string } | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return { algorithm: "sha256", digest: text.toLowerCase() };
  const [, algorithm, base64 = ""] = /^(sha256|sha384|sha512)-([\w+/-]+={0,2})(?:\?.*)?$/.exec(text) ?? [];
  // The pattern allows these three only.
  const known = algorithm as Integrity["algorithm"] | undefined;
  if (!known || base64.replaceAll("=", "").length !== Math.ceil((lengths[known] / 2) * (4 / 3))) return undefined;
  return { algorithm: known, digest: fromBase64(base64) };
}

/**
 * Reads a Subresource-Integrity string: `sha256-…` in base64, or 64 hexadecimal digits of a SHA-256. Of several, parted
 * by spaces, those of the strongest algorithm count, and one of them has to fit.
 *
 * @param name What it is called, for the message.
 * @throws {TypeError} if any of it is not such a digest
 */
export function parseIntegrity(text: unknown, name: string): Integrity {
  const parts = typeof text === "string" ? text.split(/\s+/).filter(Boolean) : [];
  const parsed = parts.map(parseDigest);
  const digests = parsed.filter((digest) => digest !== undefined);
  if (digests.length === 0 || digests.length !== parsed.length) {
    throw new TypeError(
      `${name} must be a digest such as sha256-<base64>, or 64 hexadecimal digits, not ${JSON.stringify(text)}`,
    );
  }
  const algorithm =
    digests
      .map((digest) => digest.algorithm)
      .toSorted()
      .at(-1) ?? "sha256";
  return { algorithm, digests: digests.filter((one) => one.algorithm === algorithm).map(({ digest }) => digest) };
}

/** The error of bytes that are others than they should be. */
export function integrityError(label: string, wanted: Integrity, seen: string): InferenceError {
  return new InferenceError(
    "integrity",
    `Cannot use ${label}: its ${wanted.algorithm} is ${seen}, and ${wanted.digests.join(" or ")} is wanted; it was not used`,
    { details: { file: label, algorithm: wanted.algorithm, expected: wanted.digests, actual: seen } },
  );
}

/**
 * Checks bytes that are all here.
 *
 * @throws {InferenceError} `integrity`; `unsupported` for more than SHA-256 in pages without a secure context
 */
export async function checkBytes(bytes: Uint8Array<ArrayBuffer>, wanted: Integrity, label: string): Promise<void> {
  const seen = await digestOf(bytes, wanted.algorithm);
  if (!wanted.digests.includes(seen)) throw integrityError(label, wanted, seen);
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>, algorithm: Integrity["algorithm"]): Promise<string> {
  if (algorithm === "sha256") {
    const hash = createSha256();
    hash.update(bytes);
    return hash.hex();
  }
  // Missing in pages that are not secure contexts, whatever the types say.
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new InferenceError(
      "unsupported",
      `Cannot check a ${algorithm} digest: this page is no secure context; serve it by https, or give a sha256`,
    );
  }
  return toHex(new Uint8Array(await subtle.digest(algorithm.replace("sha", "SHA-"), bytes)));
}
