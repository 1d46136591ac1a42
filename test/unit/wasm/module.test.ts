import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import type { FileRange } from "../../../src/engine/host.ts";
import { loadWeights } from "../../../src/engine/llama-weights.ts";
import { poolingTypes, ropeTypes } from "../../../src/wasm/abi.ts";
import { NativeContext } from "../../../src/wasm/context.ts";
import type { NativeContextOptions } from "../../../src/wasm/context.ts";
import { mostMemoryBytes } from "../../../src/wasm/memory.ts";
import type { NativeModel } from "../../../src/wasm/model.ts";
import { WasmModule } from "../../../src/wasm/module.ts";
import { nanoHeaderBytes, nanoPath } from "../engine/nano.ts";
import { moduleStarter, variants } from "./modules.ts";

const contextOptions: NativeContextOptions = {
  size: 64,
  batch: 64,
  sequences: 1,
  typeK: 1,
  typeV: 1,
  flashAttention: -1,
  ropeType: ropeTypes.asFile,
  yarnOriginal: 0,
  ropeScale: 0,
  pooling: poolingTypes.off,
};

async function loadNano(module: WasmModule): Promise<NativeModel> {
  const file = new Uint8Array(await readFile(nanoPath));
  const read = async (_: number, { offset, length }: FileRange): Promise<Uint8Array<ArrayBuffer>> =>
    file.slice(offset, offset + length);
  const files = [{ name: nanoPath, size: file.byteLength }];
  return (await loadWeights(module, { files, read }, [nanoHeaderBytes])).model;
}

/** What a call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each([...variants])("%s", (_, variant) => {
  let start: () => Promise<WasmModule>;
  /** An address that is in no memory. */
  const wild = variant.bits === 64 ? 2 ** 40 : 2 ** 32 - 16;

  beforeAll(async () => {
    start = await moduleStarter(variant);
  });

  test("call(): a trap is `crashed`, and so is every later call", async () => {
    const module = await start();
    expect(module.isDead).toBe(false);
    const trap = thrown(() => module.call("ruminate_token_ends", wild, 1));
    expect(trap).toBeInstanceOf(InferenceError);
    expect(trap).toMatchObject({ code: "crashed", cause: expect.any(WebAssembly.RuntimeError) });
    expect(module.isDead).toBe(true);
    const later = [
      () => module.call("ruminate_abi_version"),
      () => module.run("do anything", "ruminate_cancel_flag"),
      () => module.allocate(16),
      () => module.message(),
      () => module.withBytes(16, () => "unreachable"),
    ];
    for (const call of later) expect(thrown(call)).toBe(trap);
  });

  test("call(): a trap leaves other modules alone, and a new one works", async () => {
    const [broken, beside] = await Promise.all([start(), start()]);
    expect(thrown(() => broken.call("ruminate_token_ends", wild, 1))).toMatchObject({ code: "crashed" });
    expect(beside.isDead).toBe(false);
    for (const module of [beside, await start()]) {
      const model = await loadNano(module);
      expect([...model.tokenize("7", false)]).toHaveLength(1);
      model.free();
    }
  });

  test("withBytes(): a trap in its work comes through", async () => {
    const module = await start();
    const trap = thrown(() => module.withBytes(8, () => module.call("ruminate_token_ends", wild, 1)));
    expect(trap).toMatchObject({ code: "crashed" });
  });

  test("NativeModel, NativeContext: after a trap, free() does nothing and calls are `crashed`", async () => {
    const module = await start();
    const model = await loadNano(module);
    const context = new NativeContext(model, contextOptions);
    // The address of all that llama.cpp keeps of the model becomes garbage.
    module.memory.bytes(model.address, 64).fill(0xff);
    expect(thrown(() => model.tokenize("What is 47 + 85?", false))).toMatchObject({ code: "crashed" });
    expect(thrown(() => context.evaluate([1, 2, 3], { position: 0 }))).toMatchObject({ code: "crashed" });
    expect(thrown(() => context.remove(0))).toMatchObject({ code: "crashed" });
    expect(() => context.free()).not.toThrow();
    expect(() => model.free()).not.toThrow();
  });

  test("run(): a failure that is no trap is named, and the module goes on", async () => {
    const module = await start();
    const model = await loadNano(module);
    expect(thrown(() => new NativeContext(model, { ...contextOptions, size: 0, batch: 0 }))).toMatchObject({
      code: "unsupported",
      message: "Cannot make a context: sizes are at least 1",
    });
    const context = new NativeContext(model, contextOptions);
    expect(thrown(() => context.evaluate([2 ** 20], { position: 0 }))).toMatchObject({
      code: "unsupported",
      message: "Cannot evaluate the prompt: there is no such token",
    });
    expect(thrown(() => context.restoreState(new Uint8Array(100)))).toMatchObject({ code: "format" });
    expect(module.isDead).toBe(false);
    expect(context.evaluate([1, 2, 3], { position: 0 })).toBe(true);
    expect(context.logits()).toHaveLength(model.info.vocabulary);
    context.free();
    model.free();
  });

  test("allocate(): more than there can be is `memory`, and the module goes on", async () => {
    const module = await start();
    const most = mostMemoryBytes(variant);
    expect(thrown(() => module.allocate(most - 2 ** 16))).toMatchObject({
      code: "memory",
      details: { needed: most - 2 ** 16 },
    });
    expect(module.isDead).toBe(false);
    const at = module.allocate(2 ** 20);
    expect(at).toBeGreaterThan(0);
    module.call("free", at);
  });

  test("NativeContext: one beyond all memory is `memory`, and the module goes on", async () => {
    const module = await start();
    const model = await loadNano(module);
    // A token's keys and values take 3 KiB as 32-bit floats. Many more tokens would fill the memory by what llama.cpp notes
    // of each, and this machine's with it.
    const size = mostMemoryBytes(variant) / 2 ** 11;
    const tooLarge = { ...contextOptions, size, typeK: 0, typeV: 0 };
    expect(thrown(() => new NativeContext(model, tooLarge))).toMatchObject({ code: "memory" });
    expect(module.isDead).toBe(false);
    const context = new NativeContext(model, contextOptions);
    expect(context.evaluate([1, 2, 3], { position: 0 })).toBe(true);
  });
});

describe("start()", () => {
  test("a module that is something else is `unsupported`", async () => {
    // The magic and the version of a binary, and nothing after them.
    const module = await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const memory = new WebAssembly.Memory({ initial: 1 });
    await expect(WasmModule.start({ module, memory, bits: 32 })).rejects.toMatchObject({ code: "unsupported" });
  });
});
