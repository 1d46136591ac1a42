import { execFile } from "node:child_process";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { createTemporaryFile, openLocalFile } from "../../../src/platform/files.ts";

const size = 5 * 2 ** 30 + 8;
const marks = { 0: "at start", 4294967292: "over4GiB", 5368709120: "the end!" };
let folder = "";
let sparse = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate-files-"));
  sparse = join(folder, "sparse.gguf");
  const file = await open(sparse, "w");
  for (const [offset, text] of Object.entries(marks)) await file.write(Buffer.from(text), 0, 8, Number(offset));
  await file.close();
});
afterAll(() => rm(folder, { recursive: true }));

const script = fileURLToPath(new URL("../../fixtures/read-large-file.ts", import.meta.url));
const bin = (name: string): string => fileURLToPath(new URL(`../../../node_modules/.bin/${name}`, import.meta.url));

/** Runs the script in a runtime and gives the JSON that it prints. */
async function run(runtime: string, flags: readonly string[], args: readonly string[]): Promise<unknown> {
  const command = runtime === "node" ? process.execPath : bin(runtime);
  const { stdout } = await promisify(execFile)(command, [...flags, script, ...args]);
  return JSON.parse(stdout);
}

describe("openLocalFile()", () => {
  test.each([
    ["node", []],
    ["deno", ["run", "--no-prompt", "--allow-read", "--allow-env", "--allow-sys"]],
    ["bun", []],
  ])("reads beyond 4 GiB in %s", async (runtime, flags) => {
    const offsets = Object.keys(marks);
    expect(await run(runtime, flags, [sparse, ...offsets])).toEqual({
      name: "sparse.gguf",
      size,
      read: Object.values(marks),
    });
  });

  test.each([
    ["node", []],
    ["deno", ["run", "--no-prompt", "--allow-read", "--allow-env", "--allow-sys"]],
    ["bun", []],
  ])("tells a missing file in %s", async (runtime, flags) => {
    const missing = join(folder, "none.gguf");
    const message = `Cannot read ${missing}: there is no such file; the path of a GGUF file is wanted`;
    expect(await run(runtime, flags, [missing])).toEqual({ code: "network", message });
  });

  test("says which permission Deno wants", async () => {
    const result = await run("deno", ["run", "--no-prompt", "--allow-env"], [sparse]);
    expect(result).toMatchObject({ code: "unsupported" });
    expect(result).toMatchObject({
      message: expect.stringContaining(`run deno with --allow-read, or --allow-read=${sparse}`),
    });
  });

  test("gives fewer bytes only at the end, and never allocates for those beyond", async () => {
    const file = await openLocalFile(sparse);
    expect(file.size).toBe(size);
    expect((await file.read(size - 4, 2 ** 50)).byteLength).toBe(4);
    expect((await file.read(size + 4, 8)).byteLength).toBe(0);
    for (const [offset, length] of [
      [-1, 4],
      [0, -1],
      [0.5, 1],
      [NaN, 1],
    ] as const) {
      await expect(file.read(offset, length)).rejects.toThrow(RangeError);
    }
    await file.close();
  });

  test("refuses to read what is closed, and closes twice", async () => {
    const file = await openLocalFile(sparse);
    await file.close();
    await file.close();
    await expect(file.read(0, 4)).rejects.toMatchObject({ code: "closed" });
  });

  test("leaves an aborted signal's reason as it is", async () => {
    const file = await openLocalFile(sparse);
    const reason = { why: "stopped" };
    await expect(file.read(0, 4, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await file.close();
  });
});

describe("createTemporaryFile()", () => {
  const within = async (temporary: string, work: () => Promise<void>): Promise<void> => {
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = temporary;
    try {
      await work();
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  };

  test("keeps what is written, under no name", async () => {
    const own = await mkdtemp(join(folder, "tmp-"));
    await within(own, async () => {
      const file = await createTemporaryFile("model.gguf");
      await file.write(new TextEncoder().encode("one "));
      await file.write(new TextEncoder().encode("two"));
      expect(await readdir(own)).toEqual([]);
      const finished = file.finish();
      expect(finished).toMatchObject({ name: "model.gguf", size: 7 });
      expect(new TextDecoder().decode(await finished.read(2, 100))).toBe("e two");
      await finished.close();
      await file.discard();
    });
  });

  test("says what to do where nothing can be written", async () => {
    const notAFolder = join(folder, "a file");
    await writeFile(notAFolder, "");
    await within(notAFolder, async () => {
      const error: unknown = await createTemporaryFile("model.gguf").catch((reason: unknown) => reason);
      expect(InferenceError.is(error, "unsupported")).toBe(true);
      expect(String(error)).toMatch(/Cannot keep the model in .*a file: .*set TMPDIR to a folder that can be written/);
    });
  });
});
