// Our engine without a worker, for hosts that have none.
import type { WeightFile } from "../gguf/weight-file.ts";
import { createMemory } from "../wasm/memory.ts";
import type { AddressBits } from "../wasm/memory.ts";
import { WasmModule } from "../wasm/module.ts";
import type { Engine, EngineInfo } from "./engine.ts";
import { loadLlama } from "./llama.ts";
import type { LlamaRequest } from "./llama.ts";
import { ReadProgress } from "./read-progress.ts";

export interface InThreadOptions extends LlamaRequest {
  readonly module: WebAssembly.Module;
  readonly bits: AddressBits;
  readonly info: EngineInfo;
  readonly files: readonly WeightFile[];
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the weights. */
  readonly onprogress?: ((loaded: number, total: number) => void) | undefined;
}

/**
 * Loads a model into this very thread, which computes whenever the engine does.
 *
 * @throws {InferenceError} `format`, `memory`, `crashed`
 * @throws `signal.reason`
 */
export async function startInThread(options: InThreadOptions): Promise<Engine> {
  const { module, bits, info, files, signal, onprogress } = options;
  signal?.throwIfAborted();
  const started = await WasmModule.start({ module, bits, memory: createMemory({ bits, shared: false }) });
  const progress = new ReadProgress(
    files.map(({ size }) => size),
    onprogress,
  );
  const engine = await loadLlama(
    options,
    {
      files,
      // No buffer is used twice: here it may be the caller's own.
      async read(file, { offset, length }) {
        const source = files[file];
        if (!source) throw new RangeError(`Cannot read file ${file} of ${files.length}`);
        const bytes = await source.read(offset, length, signal ? { signal } : {});
        progress.add(file, offset, offset + bytes.byteLength);
        return bytes;
      },
    },
    { module: started, info },
  );
  progress.end();
  return engine;
}
