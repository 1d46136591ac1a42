import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RefusedCompletion, WllamaModule } from "../../../src/engine/wllama-module.ts";
import type {
  ModuleHost,
  ModuleObserver,
  ModuleOptions,
  WllamaLike,
  WllamaLogger,
} from "../../../src/engine/wllama-module.ts";
import { nanoContext, nanoFacts } from "./nano.ts";

/** A library whose behaviour each test writes. */
function setUp(behaviour: Partial<WllamaLike> & { onStart?: (logger: WllamaLogger) => void }) {
  const seen: { observer?: ModuleObserver; exits: number; params?: Record<string, unknown>; compat?: unknown } = {
    exits: 0,
  };
  const host: ModuleHost = {
    build: { memory: "wasm64", wasmUrl: "http://localhost/x.wasm" },
    observe: (observer) => (seen.observer = observer),
    Wllama: class implements WllamaLike {
      constructor(_: { default: string }, { logger }: { logger: WllamaLogger }) {
        behaviour.onStart?.(logger);
      }
      setCompat(compat: unknown): void {
        seen.compat = compat;
      }
      async loadModel(blobs: Blob[], params: Record<string, unknown>): Promise<void> {
        seen.params = params;
        await behaviour.loadModel?.(blobs, params);
      }
      getLoadedContextInfo(): { success?: boolean } {
        return behaviour.getLoadedContextInfo?.() ?? { success: true };
      }
      async createCompletion(options: Record<string, unknown>): Promise<unknown> {
        return behaviour.createCompletion?.(options);
      }
      async exit(): Promise<void> {
        seen.exits += 1;
      }
    },
  };
  const options: ModuleOptions = { blobs: [], facts: nanoFacts, ends: [1, 2, 3], context: nanoContext, threads: 1 };
  return { host, seen, options };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe("WllamaModule.start()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("gives up a library that says nothing", async () => {
    const { host, seen, options } = setUp({ loadModel: never });
    const failed = expect(WllamaModule.start(host, options)).rejects.toMatchObject({ code: "crashed" });
    await vi.advanceTimersByTimeAsync(21_000);
    await failed;
    expect(seen.exits).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits as long as the module's worker says something", async () => {
    let finish = (): void => undefined;
    const { host, seen, options } = setUp({ loadModel: () => new Promise((resolve) => (finish = resolve)) });
    const starting = WllamaModule.start(host, options);
    for (let at = 0; at < 10; at += 1) {
      await vi.advanceTimersByTimeAsync(15_000);
      seen.observer?.active();
    }
    finish();
    await expect(starting).resolves.toBeInstanceOf(WllamaModule);
  });

  test("rejects with crashed, in llama.cpp's words, when the module's worker is lost and the library never says so", async () => {
    const { host, seen, options } = setUp({
      loadModel: never,
      onStart: (logger) => logger.log("GGML_ASSERT(the sky is green) failed"),
    });
    const starting = WllamaModule.start(host, options);
    seen.observer?.crashed("abort");
    await expect(starting).rejects.toMatchObject({
      code: "crashed",
      message: expect.stringContaining("the sky is green"),
    });
  });

  test("takes a model for refused when the library takes it for loaded", async () => {
    const { host, options } = setUp({ getLoadedContextInfo: () => ({ success: false }) });
    await expect(WllamaModule.start(host, options)).rejects.toMatchObject({ code: "format" });
  });

  test("never lets the library choose what to fetch by itself", async () => {
    const { host, seen, options } = setUp({});
    await WllamaModule.start(host, options);
    expect(seen.compat).toBeNull();
  });

  test("tells llama.cpp the end tokens, and ends its list with an empty key", async () => {
    const { host, seen, options } = setUp({});
    await WllamaModule.start(host, options);
    const overrides: unknown = seen.params?.["kv_overrides"];
    expect(overrides).toMatchObject({
      "tokenizer.ggml.eos_token_id": "int:1",
      "tokenizer.ggml.eot_token_id": "int:2",
      "tokenizer.ggml.eom_token_id": "int:3",
    });
    expect(Object.keys(Object(overrides)).at(-1)).toBe("");
  });
});

describe("WllamaModule.complete()", () => {
  const started = async (createCompletion: WllamaLike["createCompletion"]) => {
    const { host, seen, options } = setUp({ createCompletion });
    return { module: await WllamaModule.start(host, options), seen };
  };
  const quiet = { signal: new AbortController().signal, onData: () => undefined };

  test("rejects with crashed when the module is lost and the library never says so", async () => {
    const { module, seen } = await started(never);
    const running = module.complete({}, quiet);
    seen.observer?.crashed("unreachable executed");
    await expect(running).rejects.toMatchObject({ code: "crashed" });
    await expect(module.complete({}, quiet)).rejects.toMatchObject({ code: "crashed" });
  });

  test("resolves when it was stopped on purpose", async () => {
    const controller = new AbortController();
    const { module } = await started(async () => {
      controller.abort();
      throw new Error("Operation aborted");
    });
    await expect(module.complete({}, { ...quiet, signal: controller.signal })).resolves.toBeUndefined();
  });

  test("rejects with what the library says otherwise", async () => {
    const { module } = await started(() => Promise.reject(new Error("no")));
    await expect(module.complete({}, quiet)).rejects.toThrow(RefusedCompletion);
  });
});
