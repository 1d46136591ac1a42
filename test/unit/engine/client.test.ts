import { afterEach, describe, expect, test, vi } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { connect, connectEngine } from "../../../src/engine/client.ts";
import { serveEngine } from "../../../src/engine/host.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { LoadHost } from "../../../src/engine/host.ts";
import type { ToWorker } from "../../../src/engine/protocol.ts";
import type { WeightFile } from "../../../src/gguf/weight-file.ts";
import type { WorkerPort } from "../../../src/platform/worker-port.ts";
import { FakeEngine } from "../../fake-engine.ts";
import { contract, run } from "./contract.ts";

const prompt = [
  { kind: "control", text: "<|user|>\n" },
  { kind: "content", text: "count" },
] as const;
const script = (): string => "one two three four five six seven eight nine ten eleven twelve thirteen";

/** A worker in this thread: messages are cloned and come later, as from a real one. */
class FakeWorker implements WorkerPort {
  alive = true;
  terminated = 0;
  silent = false;
  #toClient: (message: unknown) => void = () => undefined;
  #toWorker: (message: ToWorker<unknown>) => void;
  #fail: (reason: Error) => void = () => undefined;

  constructor(load: (request: unknown, host: LoadHost) => Promise<Engine>) {
    const post = (message: unknown): void => this.#later(message, (copy) => this.#toClient(copy));
    this.#toWorker = serveEngine({ post, listen: () => undefined }, load);
  }

  post(message: unknown): void {
    // Cloned from the client's own type.
    this.#later(message, (copy) => this.#toWorker(copy as ToWorker<unknown>));
  }

  listen(onMessage: (message: unknown) => void, onFailure: (reason: Error) => void): void {
    this.#toClient = onMessage;
    this.#fail = onFailure;
  }

  keepAlive(value: boolean): void {
    this.alive = value;
  }

  async terminate(): Promise<void> {
    this.terminated += 1;
  }

  fail(reason: Error): void {
    this.#fail(reason);
  }

  #later(message: unknown, deliver: (copy: unknown) => void): void {
    if (this.silent || this.terminated > 0) return;
    const copy: unknown = structuredClone(message);
    queueMicrotask(() => this.terminated === 0 && deliver(copy));
  }
}

function setUp(): { fake: FakeEngine; worker: FakeWorker; connect: () => Promise<Engine> } {
  const fake = new FakeEngine({ script });
  const worker = new FakeWorker(async () => fake);
  return { fake, worker, connect: () => connectEngine(worker, { request: {}, files: [] }) };
}

const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

contract({
  name: "fake, behind a worker",
  create: () => setUp().connect(),
  context: { size: 512, kvType: "f16" },
  prompt,
  controlToken: { text: "<|user|>", id: 4 },
});

describe("connectEngine()", () => {
  afterEach(() => void vi.useRealTimers());

  test("keeps the process alive only while a call is pending", async () => {
    const { worker, connect } = setUp();
    const connecting = connect();
    expect(worker.alive).toBe(true);
    const engine = await connecting;
    expect(worker.alive).toBe(false);
    for await (const event of engine.complete(prompt, { maxTokens: 2, sampling: greedy, stop: [] })) {
      if (event.type !== "end") expect(worker.alive).toBe(true);
    }
    expect(worker.alive).toBe(false);
  });

  test("brings errors back as they were, with code and details", async () => {
    const refused = new InferenceError("format", "Cannot load it: it is a poem", { details: { lines: 14 } });
    const worker = new FakeWorker(() => Promise.reject(refused));
    const error = await reasonOf(connectEngine(worker, { request: {}, files: [] }));
    expect(error).toMatchObject({ code: "format", message: refused.message, details: { lines: 14 } });
    expect(worker.terminated).toBe(1);
  });

  test("gives the worker the ranges that it asks for, and reports them", async () => {
    const block = 2 ** 20;
    const bytes = Uint8Array.from({ length: 2 * block }, (_, index) => index);
    const file: WeightFile = {
      name: "weights",
      size: 2 * block,
      // A view into something larger, which must stay whole.
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => undefined,
    };
    const seen: number[] = [];
    const worker = new FakeWorker(async (_, { files, read }) => {
      expect(files).toEqual([{ name: "weights", size: 2 * block }]);
      expect([...(await read(0, { offset: 10, length: 5 }))]).toEqual([10, 11, 12, 13, 14]);
      expect([...(await read(0, { offset: block - 10, length: 10 }))]).toHaveLength(10);
      return new FakeEngine({ script });
    });
    await connectEngine(worker, { request: {}, files: [file], onprogress: (loaded) => seen.push(loaded) });
    expect(seen).toEqual([block, 2 * block]);
    expect(bytes).toHaveLength(2 * block);
  });

  test("reads into a buffer that the engine gives back, and otherwise takes no more than was asked for", async () => {
    const given: (ArrayBuffer | undefined)[] = [];
    const file: WeightFile = {
      name: "weights",
      size: 100,
      read: async (offset, length, { into } = {}) => {
        given.push(into);
        const bytes = into ? new Uint8Array(into, 0, length) : new Uint8Array(2 * length).subarray(0, length);
        return bytes.fill(offset);
      },
      close: async () => undefined,
    };
    const worker = new FakeWorker(async (_, { read }) => {
      const first = await read(0, { offset: 7, length: 20 });
      expect(first.buffer.byteLength).toBe(20);
      const second = await read(0, { offset: 9, length: 5, into: first.buffer });
      expect([...second]).toEqual([9, 9, 9, 9, 9]);
      expect(second.buffer.byteLength).toBe(20);
      return new FakeEngine({ script });
    });
    await connectEngine(worker, { request: {}, files: [file] });
    expect(given.map((into) => into?.byteLength)).toEqual([undefined, 20]);
  });

  test("rejects with what reading the file threw, untouched", async () => {
    const reason = new Error("gone");
    const file: WeightFile = {
      name: "weights",
      size: 1,
      read: () => Promise.reject(reason),
      close: async () => undefined,
    };
    const worker = new FakeWorker(async (_, { read }) => {
      await read(0, { offset: 0, length: 1 });
      return new FakeEngine({ script });
    });
    expect(await reasonOf(connectEngine(worker, { request: {}, files: [file] }))).toBe(reason);
  });

  test("goes on in a new worker when the first hangs in a change of context", async () => {
    vi.useFakeTimers();
    const [first, second] = [setUp(), setUp()];
    const asked: object[] = [];
    const options = { request: {}, files: [] };
    const engine = await connectEngine(first.worker, options, (config) => {
      asked.push(config);
      return connect(second.worker, options);
    });
    first.worker.silent = true;
    const config = { size: 1024, kvType: "f16" } as const;
    const changed = engine.configure(config);
    await vi.advanceTimersByTimeAsync(40_000);
    await changed;
    vi.useRealTimers();
    expect([asked, first.worker.terminated]).toEqual([[config], 1]);
    expect((await run(engine, prompt, { maxTokens: 2 })).end.usage.completion).toBe(2);
    await engine.close();
    expect(second.worker.terminated).toBe(1);
  });

  test("ends the new worker, too, when it was closed while that one started", async () => {
    vi.useFakeTimers();
    const [first, second] = [setUp(), setUp()];
    const options = { request: {}, files: [] };
    const engine = await connectEngine(first.worker, options, async () => {
      await engine.close();
      return connect(second.worker, options);
    });
    first.worker.silent = true;
    const changed = reasonOf(engine.configure({ size: 1024, kvType: "f16" }));
    await vi.advanceTimersByTimeAsync(60_000);
    await changed;
    expect([first.worker.terminated, second.worker.terminated]).toEqual([1, 1]);
    expect(await reasonOf(engine.configure({ size: 512, kvType: "f16" }))).toMatchObject({ code: "closed" });
  });

  test("leaves nothing behind of a call that can't be sent", async () => {
    const { worker, connect } = setUp();
    const engine = await connect();
    const format = { type: "json", schema: { check: () => true } } as const;
    expect(await reasonOf(run(engine, prompt, { maxTokens: 2, format }))).toMatchObject({ name: "DataCloneError" });
    expect(worker.alive).toBe(false);
    const { end } = await run(engine, prompt, { maxTokens: 2 });
    expect(end.usage.completion).toBe(2);
    await engine.close();
  });

  test("gives up a worker that says nothing while loading", async () => {
    vi.useFakeTimers();
    const { worker, connect } = setUp();
    worker.silent = true;
    const failed = reasonOf(connect());
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await failed).toMatchObject({ code: "crashed", details: { silent: true } });
    expect(worker.terminated).toBe(1);
  });

  test("gives up a worker that spoke and fell silent as soon as it is told to", async () => {
    vi.useFakeTimers();
    const worker = new FakeWorker(() => new Promise(() => undefined));
    const failed = reasonOf(connectEngine(worker, { request: {}, files: [], patienceMs: 1000 }));
    await vi.advanceTimersByTimeAsync(100);
    worker.silent = true;
    await vi.advanceTimersByTimeAsync(2000);
    expect(await failed).toMatchObject({ code: "crashed", details: { silent: true } });
  });

  test("waits as long as the worker answers", async () => {
    vi.useFakeTimers();
    let finish = (): void => undefined;
    const worker = new FakeWorker(() => new Promise((resolve) => (finish = () => resolve(new FakeEngine({ script })))));
    const connecting = connectEngine(worker, { request: {}, files: [] });
    await vi.advanceTimersByTimeAsync(600_000);
    finish();
    await vi.advanceTimersByTimeAsync(10);
    expect((await connecting).info.engine).toBe("fake");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("an engine whose worker fails", () => {
  test.each([
    ["the worker fails", ({ worker }: ReturnType<typeof setUp>) => worker.fail(new Error("segmentation fault"))],
    ["the engine says that it crashed", ({ fake }: ReturnType<typeof setUp>) => fake.crash()],
  ])("rejects what is pending and everything later with crashed: %s", async (_, kill) => {
    const parts = setUp();
    const engine = await parts.connect();
    const pending = (async () => {
      for await (const event of engine.complete(prompt, { maxTokens: 50, sampling: greedy, stop: [] })) {
        if (event.type === "piece") kill(parts);
      }
    })();
    expect(await reasonOf(pending)).toMatchObject({ code: "crashed" });
    expect(await reasonOf(run(engine, prompt))).toMatchObject({ code: "crashed" });
    expect(await reasonOf(engine.configure({ size: 9, kvType: "f16" }))).toMatchObject({ code: "crashed" });
    expect(parts.worker.terminated).toBe(1);
    await engine.close();
  });

  test("throws the signal's reason when it was aborted first", async () => {
    const parts = setUp();
    const engine = await parts.connect();
    const controller = new AbortController();
    const pending = (async () => {
      const options = { maxTokens: 50, sampling: greedy, stop: [], signal: controller.signal };
      for await (const event of engine.complete(prompt, options)) {
        if (event.type !== "piece") continue;
        controller.abort("stop");
        parts.worker.fail(new Error("and it fell over"));
      }
    })();
    expect(await reasonOf(pending)).toBe("stop");
    expect(await reasonOf(run(engine, prompt))).toMatchObject({ code: "crashed" });
  });
});

const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1 };
