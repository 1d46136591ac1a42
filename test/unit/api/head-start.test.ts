import { readFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { loadModel } from "../../../src/index.ts";
import { nanoPath } from "../engine/nano.ts";

/** A worker that never says a word, but for the failure that it begins with. */
function silentWorker(failure?: string): Worker & { readonly terminate: ReturnType<typeof vi.fn> } {
  const target = new EventTarget();
  if (failure !== undefined) {
    setTimeout(() => target.dispatchEvent(Object.assign(new Event("error"), { message: failure })), 0);
  }
  // What the engine's client uses of one.
  return Object.assign(target, { postMessage: vi.fn(), terminate: vi.fn() }) as never;
}

describe("loadModel()", () => {
  test("ends the worker that it began when the source holds no model", async () => {
    const worker = silentWorker();
    const start = vi.fn(() => worker);
    const loading = loadModel(new Blob(["not a model at all"]), { wasm: { worker: start } });
    await expect(loading).rejects.toMatchObject({ code: "format" });
    expect(start).toHaveBeenCalledTimes(1);
    expect(worker.terminate).toHaveBeenCalledTimes(1);
  });

  test("tells of a worker that failed before anybody wanted it", async () => {
    const bytes = new Uint8Array(await readFile(nanoPath));
    const { promise: failed, resolve } = Promise.withResolvers<void>();
    const worker = silentWorker("its script is refused here");
    worker.addEventListener("error", () => resolve());
    const late = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        await failed;
        controller.enqueue(bytes);
        controller.close();
      },
    });
    const loading = loadModel(late, { threads: 1, wasm: { worker: () => worker } });
    await expect(loading).rejects.toMatchObject({
      code: "crashed",
      message: expect.stringContaining("its script is refused here"),
    });
  });

  test("does not mind a worker that can't be started for a model that can't be loaded", async () => {
    const start = vi.fn(() => {
      throw new Error("no workers today");
    });
    const nothing = loadModel(new Blob(["not a model at all"]), { wasm: { worker: start } });
    await expect(nothing).rejects.toMatchObject({ code: "format" });
    const model = loadModel(await readFile(nanoPath), { wasm: { worker: start } });
    await expect(model).rejects.toThrow("no workers today");
  });

  test("begins nothing of our engine for another", async () => {
    const worker = silentWorker();
    const start = vi.fn(() => worker);
    const loading = loadModel(new Blob(["not a model at all"]), { engine: "wllama", wasm: { worker: start } });
    await expect(loading).rejects.toMatchObject({ code: "format" });
    expect(start).not.toHaveBeenCalled();
  });
});
