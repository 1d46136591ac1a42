import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { buildModel } from "../../gguf-fixture.ts";

export const mib: number = 2 ** 20;
/** A model of a few KB. */
export const small: Uint8Array<ArrayBuffer> = buildModel();
/** The same header, and 24 MiB behind it. */
export const large: Uint8Array<ArrayBuffer> = new Uint8Array(24 * mib);
large.set(small);
for (let at = small.byteLength; at < large.byteLength; at += 4096) large[at] = at / 4096;

/** Gives each test of the file a temporary folder of its own, in which downloads are kept. */
export function temporaryFolder(): () => string {
  const before = process.env["TMPDIR"];
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ruminate-test-"));
    process.env["TMPDIR"] = folder;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    await rm(folder, { recursive: true });
  });
  return () => folder;
}
