// The contract of a ModelStore, for each of ours; then what each has of its own.
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { modelFolder } from "../../../src/platform/cache-folder.ts";
import { InferenceError } from "../../../src/errors.ts";
import { diskStore, diskStoreIn } from "../../../src/store/disk-store.ts";
import { memoryStore } from "../../../src/store/memory-store.ts";
import type { ModelStore } from "../../../src/store/model-store.ts";
import { opfsStore } from "../../../src/store/opfs-store.ts";
import { createFakeOpfs } from "./fake-opfs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate-store-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

async function put(store: ModelStore, key: string, { at = 0, to = 1000, ends = "close" }): Promise<void> {
  const writer = (await store.create(key, at)).getWriter();
  for (let from = at; from < to; from += 70) await writer.write(bytes.subarray(from, Math.min(from + 70, to)));
  await (ends === "close" ? writer.close() : writer.abort(new Error("enough")));
}

async function get(blob: Blob | null | undefined): Promise<number[] | null> {
  return blob ? [...new Uint8Array(await blob.arrayBuffer())] : null;
}

async function keysOf(store: ModelStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) keys.push(key);
  return keys.toSorted();
}

const kinds: readonly (readonly [string, () => ModelStore])[] = [
  ["diskStore()", () => diskStore({ folder: join(folder, "models") })],
  ["opfsStore()", () => opfsStore(createFakeOpfs(256))],
  ["memoryStore()", () => memoryStore()],
];

describe.each(kinds)("%s", (_name, make) => {
  test("has nothing at first", async () => {
    const store = make();
    expect(await store.open("a")).toBeNull();
    expect(await store.partial?.("a")).toBeNull();
    expect(await keysOf(store)).toEqual([]);
    await store.delete("a");
  });

  test("keeps what was closed, whole", async () => {
    const store = make();
    await put(store, "a", {});
    await put(store, "b.json", { to: 0 });
    expect(await get(await store.open("a"))).toEqual([...bytes]);
    expect(await get((await store.open("a"))?.slice(100, 300))).toEqual([...bytes.subarray(100, 300)]);
    expect(await get(await store.open("b.json"))).toEqual([]);
    expect(await store.partial?.("a")).toBeNull();
    expect(await keysOf(store)).toEqual(["a", "b.json"]);
    await store.delete("a");
    expect(await store.open("a")).toBeNull();
    expect(await keysOf(store)).toEqual(["b.json"]);
  });

  test.each([1, 255, 256, 257, 999])("keeps a part of %i bytes apart, and goes on from it", async (at) => {
    const store = make();
    await put(store, "a", { to: at, ends: "abort" });
    expect(await store.open("a")).toBeNull();
    expect(await keysOf(store)).toEqual([]);
    expect(await get(await store.partial?.("a"))).toEqual([...bytes.subarray(0, at)]);
    await put(store, "a", { at });
    expect(await get(await store.open("a"))).toEqual([...bytes]);
  });

  test.each([0, 100, 256, 300])("cuts a part that is longer at byte %i", async (at) => {
    const store = make();
    await put(store, "a", { to: 800, ends: "abort" });
    await put(store, "a", { at, to: 400 });
    expect(await get(await store.open("a"))).toEqual([...bytes.subarray(0, 400)]);
  });

  test("refuses to go on where nothing is, and keys that lead elsewhere", async () => {
    const store = make();
    await expect(store.create("a", 5)).rejects.toThrow(RangeError);
    for (const key of ["../a", "", ".a", "a/b", "a".repeat(201)])
      await expect(store.create(key, 0)).rejects.toThrow(TypeError);
  });
});

describe.each([kinds[0], kinds[2]].filter((kind) => kind !== undefined))("lock() of %s", (_name, make) => {
  test("lets one in at a time, in the same process too, and waits by a signal", async () => {
    const store = make();
    const first = await store.lock?.("a");
    const other = await store.lock?.("b");
    await other?.[Symbol.asyncDispose]();
    const controller = new AbortController();
    const waiting = store.lock?.("a", controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    let isIn = false;
    const second = store.lock?.("a").then((lock) => {
      isIn = true;
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isIn).toBe(false);
    await first?.[Symbol.asyncDispose]();
    await (await second)?.[Symbol.asyncDispose]();
    expect(isIn).toBe(true);
  });
});

describe("lock() of diskStore()", () => {
  const timing = { poll: 5, heartbeat: 10, stale: 200 };
  const lockPath = (): string => join(folder, "incomplete", "a.lock");

  test("takes over from an owner that shows no life, and that owner learns it", async () => {
    const sleeper = await diskStoreIn(folder, { ...timing, heartbeat: 400 }).lock?.("a");
    const old = new Date(Date.now() - 60_000);
    await utimes(lockPath(), old, old);
    const taken = await diskStoreIn(folder, timing).lock?.("a");
    await new Promise<void>((resolve) => sleeper?.lost?.addEventListener("abort", () => resolve()));
    expect(InferenceError.is(sleeper?.lost?.reason, "busy")).toBe(true);
    // Letting go of what is another's by now takes nothing from it.
    await sleeper?.[Symbol.asyncDispose]();
    expect(taken?.lost?.aborted).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken?.lost?.aborted).toBe(false);
    await taken?.[Symbol.asyncDispose]();
  });

  test("takes over from an owner that was ended while it made the lock", async () => {
    mkdirSync(join(folder, "incomplete"));
    await writeFile(lockPath(), "");
    const old = new Date(Date.now() - 60_000);
    await utimes(lockPath(), old, old);
    await (await diskStoreIn(folder, timing).lock?.("a"))?.[Symbol.asyncDispose]();
  });
});

describe("opfsStore()", () => {
  test("loses at most one segment when the tab is closed", async () => {
    const fake = createFakeOpfs(256);
    const writer = (await opfsStore(fake).create("a", 0)).getWriter();
    await writer.write(bytes.subarray(0, 700));
    // Neither closed nor aborted: the tab is gone.
    const store = opfsStore(fake);
    expect(await store.open("a")).toBeNull();
    expect((await store.partial?.("a"))?.size).toBe(512);
    await put(store, "a", { at: 512 });
    expect(await get(await store.open("a"))).toEqual([...bytes]);
  });

  test("tells a full quota, keeps what fitted, and goes on", async () => {
    const fake = createFakeOpfs(256);
    fake.quota = 600;
    const store = opfsStore(fake);
    const error: unknown = await put(store, "a", {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "memory", message: expect.stringContaining("browser's storage") });
    const at = (await store.partial?.("a"))?.size ?? 0;
    expect(at).toBeGreaterThan(512);
    fake.quota = Infinity;
    await put(store, "a", { at });
    expect(await get(await store.open("a"))).toEqual([...bytes]);
  });

  test("does not take an entry for whole that lost a segment", async () => {
    const fake = createFakeOpfs(256);
    await put(opfsStore(fake), "a", {});
    fake.files.delete("a.000002");
    expect(await opfsStore(fake).open("a")).toBeNull();
  });

  test("locks by Web Locks, and gives a signal's own reason", async () => {
    const store = opfsStore(createFakeOpfs(256, navigator.locks));
    const first = await store.lock?.("a");
    const controller = new AbortController();
    const waiting = store.lock?.("a", controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await first?.[Symbol.asyncDispose]();
    await (await store.lock?.("a"))?.[Symbol.asyncDispose]();
  });

  test("is refused where there is no such file system", () => {
    expect(() => opfsStore()).toThrow(/origin-private file system/);
  });
});

test("modelFolder() follows each system's rules", () => {
  const path = { join: (...parts: string[]) => parts.join("/"), isAbsolute: (text: string) => text.startsWith("/") };
  const on = (platform: string, environment: Record<string, string> = {}): string =>
    modelFolder({ platform, environment, home: "/home/me", path });
  expect(on("linux")).toBe("/home/me/.cache/ruminate/models");
  expect(on("linux", { XDG_CACHE_HOME: "/big" })).toBe("/big/ruminate/models");
  expect(on("linux", { XDG_CACHE_HOME: "relative" })).toBe("/home/me/.cache/ruminate/models");
  expect(on("darwin")).toBe("/home/me/Library/Caches/ruminate/models");
  expect(on("win32", { LOCALAPPDATA: "C:/Local" })).toBe("C:/Local/ruminate/models");
  expect(on("win32")).toBe("/home/me/AppData/Local/ruminate/models");
  expect(on("darwin", { RUMINATE_MODELS: "/models" })).toBe("/models");
});
