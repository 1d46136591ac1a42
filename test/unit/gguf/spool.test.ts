import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSpool } from "../../../src/gguf/spool.ts";

const mib = 2 ** 20;
const before = process.env["TMPDIR"];
// As where Deno is not allowed to write: no temporary file can be made here.
beforeEach(() => {
  process.env["TMPDIR"] = "/dev/null/nowhere";
});
afterEach(() => {
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
});

describe("openSpool() where the disk is denied", () => {
  test("keeps small files in memory, whole and in order", async () => {
    const spool = await openSpool("model.gguf", undefined);
    // More than one of the parts that chunks are gathered into.
    for (let index = 0; index < 70; index++) await spool.write(new Uint8Array(mib).fill(index));
    const file = await spool.finish();
    expect(file).toMatchObject({ name: "model.gguf", size: 70 * mib });
    for (const index of [0, 31, 32, 69]) expect([...(await file.read(index * mib, 2))]).toEqual([index, index]);
    expect((await file.read(70 * mib - 1, 10)).byteLength).toBe(1);
    await file.close();
  });

  test("refuses large ones, known before or not, with the disk's own reason", async () => {
    await expect(openSpool("model.gguf", 600 * mib)).rejects.toMatchObject({ code: "unsupported" });
    const spool = await openSpool("model.gguf", undefined);
    const chunk = new Uint8Array(64 * mib);
    for (let written = 0; written < 512; written += 64) await spool.write(chunk);
    await expect(spool.write(chunk)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(/set TMPDIR/),
    });
    await spool.discard();
    await spool.discard();
  });
});
