import { InferenceError } from "../errors.ts";
import { tensorLayout } from "./abi.ts";
import type { Fields } from "./abi.ts";
import type { WasmModule } from "./module.ts";
import { NativeModel } from "./model.ts";

/** One tensor: where its bytes are in which file, and where in memory they belong. Numbers are bytes. */
export type NativeTensor = Fields<typeof tensorLayout>;

/** A model whose weights are still to come. */
export class NativeLoader {
  readonly #module: WasmModule;
  #address: number;

  /**
   * Makes a model from the headers of its files, in order; its memory is taken now.
   *
   * @throws {InferenceError} `format`, `memory`
   */
  constructor(module: WasmModule, headers: readonly Uint8Array[]) {
    this.#module = module;
    this.#address = module.addressOf((out) => module.run("load the model", "ruminate_loader_open", out));
    try {
      for (const header of headers) {
        module.withCopy(header, (at) => {
          module.run("read the model's header", "ruminate_loader_header", this.#address, at, header.byteLength);
        });
      }
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /**
   * @returns All tensors, in the order of their bytes.
   * @throws {InferenceError} `format` (after which the module may be dead), `memory`
   */
  build(): { readonly index: number; readonly tensor: NativeTensor }[] {
    const module = this.#module;
    const count = module.withBytes(8, (out) => {
      try {
        module.run("load the model", "ruminate_loader_build", this.#address, out);
      } catch (cause) {
        if (!InferenceError.is(cause, "crashed")) throw cause;
        // Nothing but the header has come in yet: what llama.cpp can't bear is in it.
        throw new InferenceError("format", `Cannot load the model: llama.cpp gave its header up: ${cause.message}`, {
          cause,
        });
      }
      return module.memory.int64(out);
    });
    const tensors = Array.from({ length: count }, (_, index) => ({
      index,
      tensor: module.fieldsOf(tensorLayout, (at) => {
        module.run("load the model", "ruminate_loader_tensor", this.#address, index, at);
      }),
    }));
    return tensors.sort((a, b) => a.tensor.shard - b.tensor.shard || a.tensor.offset - b.tensor.offset);
  }

  /** Puts bytes of a tensor where they belong; `offset` is within the tensor. */
  put(index: number, tensor: NativeTensor, { offset, bytes }: { offset: number; bytes: Uint8Array }): void {
    const module = this.#module;
    if (tensor.address !== 0) {
      module.memory.bytes(tensor.address + offset, bytes.byteLength).set(bytes);
      return;
    }
    module.withCopy(bytes, (at) => {
      module.run("load the weights", "ruminate_loader_put", this.#address, index, at, offset, bytes.byteLength);
    });
  }

  /** The model, with all its weights; the loader is gone then. */
  finish(): NativeModel {
    const module = this.#module;
    const address = module.addressOf((out) =>
      module.run("load the model", "ruminate_loader_finish", this.#address, out),
    );
    this.#address = 0;
    return new NativeModel(module, address);
  }

  /** Idempotent. */
  free(): void {
    if (this.#address !== 0 && !this.#module.isDead) this.#module.call("ruminate_loader_free", this.#address);
    this.#address = 0;
  }
}
