import { detectRuntime } from "../platform/detect.ts";
import type { Integrity } from "../platform/integrity.ts";
import type { HttpOptions } from "./http.ts";
import { usualPatience } from "../patience.ts";

/** The digest that the Hub tells of files in its large storage: their Git LFS id, in hexadecimal. */
export function linkedDigest(headers: Headers): string | undefined {
  return /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(headers.get("x-linked-etag") ?? "")?.[1];
}

/**
 * What a server tells that a file is: with its answer, or with the redirect that led to it, which fetch hides. That one
 * is asked for again, of addresses such as the Hub's alone, and not in browsers, where it stays hidden.
 */
export async function toldDigest(
  address: string,
  first: { readonly sha256: string | undefined; readonly redirected: boolean },
  { fetch, signal, patience = usualPatience }: HttpOptions,
): Promise<Integrity | undefined> {
  const sha256 = first.sha256 ?? (await hiddenDigest());
  return sha256 === undefined ? undefined : { algorithm: "sha256", digests: [sha256] };

  async function hiddenDigest(): Promise<string | undefined> {
    if (!first.redirected || detectRuntime() === "browser" || !address.includes("/resolve/")) return undefined;
    const late = AbortSignal.timeout(patience.stall);
    const either = signal ? AbortSignal.any([signal, late]) : late;
    try {
      return linkedDigest((await fetch(address, { method: "HEAD", redirect: "manual", signal: either })).headers);
    } catch {
      // Nobody asked for it: without an answer the file is taken unchecked, as from any other server.
      signal?.throwIfAborted();
      return undefined;
    }
  }
}
