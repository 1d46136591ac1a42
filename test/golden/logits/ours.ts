// Cases on our modules, called as the engine calls them.
import { readFile } from "node:fs/promises";
import { compileLlama } from "../../../src/engine/start-llama.ts";
import type { FileRange } from "../../../src/engine/host.ts";
import { loadWeights } from "../../../src/engine/llama-weights.ts";
import type { Variant } from "../../../src/engine/variant.ts";
import { ggmlTypes, poolingTypes, ropeTypes } from "../../../src/wasm/abi.ts";
import { NativeContext } from "../../../src/wasm/context.ts";
import { createMemory } from "../../../src/wasm/memory.ts";
import { WasmModule } from "../../../src/wasm/module.ts";
import { contextSize, promptTokens, steps, yarnFactor } from "./trace.ts";
import type { RunCase, Trace } from "./trace.ts";

/** With one thread, which is this one. */
export async function startOurs(variant: Variant): Promise<WasmModule> {
  const { module } = await compileLlama(variant);
  const { bits, shared } = variant;
  return WasmModule.start({ module, bits, memory: createMemory({ bits, shared }) });
}

export interface OurTrace extends Trace {
  /** Of the continuation. */
  readonly text: string;
}

/** @param continuation What is evaluated after the prompt. */
export async function runOurs(
  module: WasmModule,
  { model: path, text, yarn, contextTrained }: RunCase,
  continuation: readonly number[],
): Promise<OurTrace> {
  const file = await readFile(path);
  const read = async (_: number, { offset, length }: FileRange): Promise<Uint8Array<ArrayBuffer>> =>
    file.subarray(offset, offset + length);
  // The whole file for its header: all that is read of it is what it has.
  const files = [{ name: path, size: file.byteLength }];
  const { model } = await loadWeights(module, { files, read }, [file.byteLength]);
  const context = new NativeContext(model, {
    size: contextSize,
    batch: 512,
    sequences: 1,
    typeK: ggmlTypes.f16,
    typeV: ggmlTypes.f16,
    flashAttention: -1,
    ropeType: yarn ? ropeTypes.yarn : ropeTypes.asFile,
    yarnOriginal: yarn ? contextTrained : 0,
    ropeScale: yarn ? 1 / yarnFactor : 0,
    pooling: poolingTypes.off,
  });
  try {
    const tokens = model.tokenize(text, true);
    const logits: Float32Array[] = [];
    for (let step = 0; step < steps; step += 1) {
      const next = step === 0 ? tokens.subarray(0, promptTokens) : continuation.slice(step - 1, step);
      context.evaluate(next, { position: step === 0 ? 0 : promptTokens + step - 1 });
      logits.push(context.logits() ?? new Float32Array());
    }
    return { tokens: [...tokens], logits, text: new TextDecoder().decode(model.detokenize(continuation, true)) };
  } finally {
    context.free();
    model.free();
  }
}
