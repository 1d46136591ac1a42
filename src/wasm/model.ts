import { modelInfoLayout } from "./abi.ts";
import type { Fields } from "./abi.ts";
import type { WasmModule } from "./module.ts";

/** Numbers of a model: counts of tokens, dimensions and layers, and 0 or 1. */
export type NativeModelInfo = Fields<typeof modelInfoLayout>;

/** A loaded model: its vocabulary. */
export class NativeModel {
  readonly module: WasmModule;
  readonly address: number;
  readonly info: NativeModelInfo;

  constructor(module: WasmModule, address: number) {
    this.module = module;
    this.address = address;
    this.info = module.fieldsOf(modelInfoLayout, (at) => {
      module.run("read the model", "ruminate_model_info_get", address, at);
    });
  }

  /**
   * Tokens of a text, with nothing put before or after it.
   *
   * @param control Whether special tokens are found in it.
   */
  tokenize(text: string, control: boolean): Int32Array {
    return text === "" ? new Int32Array() : this.#tokenize(text, { control, whole: false });
  }

  /** Tokens of a text that is all that the model reads: with those that the vocabulary puts before and after it. */
  tokenizeWhole(text: string): Int32Array {
    return this.#tokenize(text, { control: false, whole: true });
  }

  #tokenize(text: string, { control, whole }: { control: boolean; whole: boolean }): Int32Array {
    const { module } = this;
    const bytes = new TextEncoder().encode(text);
    // No token is shorter than a byte, but a tokenizer may put one before the text.
    const room = bytes.byteLength + 8;
    return module.withCopy(bytes, (at) =>
      module.withBytes(room * 4 + 8, (out) => {
        const count = out;
        const tokens = out + 8;
        module.memory.setInt64(count, room);
        module.run(
          "tokenize a text",
          "ruminate_tokenize",
          this.address,
          at,
          bytes.byteLength,
          Number(control),
          Number(whole),
          tokens,
          count,
        );
        return this.#numbers(tokens, module.memory.int64(count));
      }),
    );
  }

  /**
   * Bytes of tokens: UTF-8, but for a character that is not whole yet.
   *
   * @param control Whether control tokens have a text.
   */
  detokenize(tokens: ArrayLike<number>, control: boolean): Uint8Array<ArrayBuffer> {
    const { module } = this;
    const numbers = Int32Array.from(tokens);
    return module.withCopy(numbers, (at) =>
      module.withBytes(8, (size) => {
        const run = (out: number, room: number): number => {
          module.memory.setInt64(size, room);
          module.run(
            "turn tokens into text",
            "ruminate_detokenize",
            this.address,
            at,
            numbers.length,
            Number(control),
            out,
            size,
          );
          return module.memory.int64(size);
        };
        let room = 16 * numbers.length;
        for (;;) {
          const text = module.withBytes(room, (out) => {
            const needed = run(out, room);
            if (needed <= room) return module.memory.bytes(out, needed).slice();
            room = needed;
            return undefined;
          });
          if (text) return text;
        }
      }),
    );
  }

  /** Whether generation ends at a token, by the model's file. */
  ends(token: number): boolean {
    return this.module.call("ruminate_token_ends", this.address, token) !== 0;
  }

  free(): void {
    if (!this.module.isDead) this.module.call("ruminate_model_free", this.address);
  }

  #numbers(at: number, count: number): Int32Array {
    const copy = this.module.memory.bytes(at, count * 4).slice();
    return new Int32Array(copy.buffer);
  }
}
