import { cancelledStatus, contextOptionsLayout, samplingLayout } from "./abi.ts";
import type { Fields } from "./abi.ts";
import { CallFailure, failureOf } from "./module.ts";
import type { WasmModule } from "./module.ts";
import type { NativeModel } from "./model.ts";

export type NativeContextOptions = Fields<typeof contextOptionsLayout>;
export type NativeSampling = Fields<typeof samplingLayout>;

/** A KV cache and the logits of what was evaluated last. */
export class NativeContext {
  readonly #model: NativeModel;
  readonly #module: WasmModule;
  readonly #address: number;
  readonly #cancelFlag: number;
  readonly batch: number;

  /** @throws {InferenceError} `memory`, `unsupported` */
  constructor(model: NativeModel, options: NativeContextOptions) {
    const { module } = model;
    this.#model = model;
    this.#module = module;
    this.batch = Math.min(options.batch, options.size);
    this.#address = module.withFields(contextOptionsLayout, options, (at) =>
      module.addressOf((out) => module.run("make a context", "ruminate_context_open", model.address, at, out)),
    );
    this.#cancelFlag = module.call("ruminate_cancel_flag");
  }

  /**
   * Evaluates tokens, at most {@link batch} of them.
   *
   * @returns Whether it did; not if it was cancelled, and then a part of them may be in the cache.
   * @throws {InferenceError} `context-full`, `crashed`
   */
  evaluate(tokens: ArrayLike<number>, { sequence = 0, position }: { sequence?: number; position: number }): boolean {
    const module = this.#module;
    this.#resetCancel();
    try {
      module.withCopy(Int32Array.from(tokens), (at) => {
        module.call("ruminate_evaluate", this.#address, sequence, position, at, tokens.length);
      });
      return true;
    } catch (error) {
      if (error instanceof CallFailure && error.status === cancelledStatus) return false;
      throw failureOf("evaluate the prompt", error);
    }
  }

  /** Forgets all positions from one on. @returns Whether this model can. */
  remove(from: number, sequence = 0): boolean {
    try {
      this.#module.call("ruminate_sequence_remove", this.#address, sequence, from, -1);
      return true;
    } catch (error) {
      if (error instanceof CallFailure) return false;
      throw error;
    }
  }

  saveState(sequence = 0): Uint8Array<ArrayBuffer> {
    const module = this.#module;
    const size = module.withBytes(8, (out) => {
      module.run("save the state", "ruminate_state_size", this.#address, sequence, out);
      return module.memory.int64(out);
    });
    return module.withBytes(size, (at) => {
      module.run("save the state", "ruminate_state_save", this.#address, sequence, at, size);
      return module.memory.bytes(at, size).slice();
    });
  }

  /** @throws {InferenceError} `format`; the sequence is empty then */
  restoreState(state: Uint8Array, sequence = 0): void {
    this.#module.withCopy(state, (at) => {
      this.#module.run("restore the state", "ruminate_state_restore", this.#address, sequence, at, state.byteLength);
    });
  }

  /** The pooled embedding of a text by itself, or a ranking model's scores. */
  embed(tokens: ArrayLike<number>, dimensions: number): Float32Array {
    const module = this.#module;
    this.#resetCancel();
    return module.withCopy(Int32Array.from(tokens), (at) =>
      module.withBytes(dimensions * 4 + 8, (size) => {
        module.memory.setInt64(size, dimensions);
        module.run("embed a text", "ruminate_embed", this.#address, at, tokens.length, size + 8, size);
        const copy = module.memory.bytes(size + 8, module.memory.int64(size) * 4).slice();
        return new Float32Array(copy.buffer);
      }),
    );
  }

  /** A stop that came too late for what it was meant for. */
  #resetCancel(): void {
    this.#module.memory.view().setInt32(this.#cancelFlag, 0, true);
  }

  sample(sampler: NativeSampler): number {
    return this.#module.withBytes(4, (out) => {
      this.#module.run("choose a token", "ruminate_sample", sampler.address, this.#address, out);
      return this.#module.memory.int32(out);
    });
  }

  /** Logarithms of probability: of a token, then of the `count` likeliest. */
  logprobs(token: number, count: number): { readonly id: number; readonly logprob: number }[] {
    const module = this.#module;
    return module.withBytes((count + 1) * 8, (at) => {
      const values = at + (count + 1) * 4;
      module.run("read probabilities", "ruminate_logprobs", this.#address, token, count, at, values);
      return Array.from({ length: count + 1 }, (_, index) => ({
        id: module.memory.int32(at + index * 4),
        logprob: module.memory.view().getFloat32(values + index * 4, true),
      }));
    });
  }

  /** Of the token that was evaluated last, one for each of the vocabulary; undefined: there are none. */
  logits(): Float32Array | undefined {
    const at = this.#module.call("ruminate_logits", this.#address);
    if (at === 0) return undefined;
    return new Float32Array(this.#module.memory.bytes(at, this.#model.info.vocabulary * 4).slice().buffer);
  }

  free(): void {
    if (!this.#module.isDead) this.#module.call("ruminate_context_free", this.#address);
  }
}

export interface SamplerOptions extends NativeSampling {
  /** GBNF. */
  readonly grammar?: string | undefined;
  readonly logitBias?: ReadonlyMap<number, number> | undefined;
}

/** Chooses tokens, and remembers what its penalties and its grammar need. */
export class NativeSampler {
  readonly #module: WasmModule;
  readonly address: number;

  /** @throws {InferenceError} `grammar` */
  constructor({ module, address: model }: NativeModel, { grammar, logitBias, ...sampling }: SamplerOptions) {
    this.#module = module;
    const biases = [...(logitBias ?? [])];
    const tokens = Int32Array.from(biases, ([token]) => token);
    const values = Float32Array.from(biases, ([, value]) => value);
    const text = new TextEncoder().encode(`${grammar ?? ""}\0`);
    this.address = this.#open({ model, sampling, text: grammar === undefined ? undefined : text, tokens, values });
  }

  /** Tokens that were said before, for the penalties. */
  see(tokens: ArrayLike<number>): void {
    this.#module.withCopy(Int32Array.from(tokens), (at) => {
      this.#module.run("start sampling", "ruminate_sampler_see", this.address, at, tokens.length);
    });
  }

  free(): void {
    if (!this.#module.isDead) this.#module.call("ruminate_sampler_free", this.address);
  }

  #open(parts: {
    model: number;
    sampling: NativeSampling;
    text: Uint8Array | undefined;
    tokens: Int32Array;
    values: Float32Array;
  }): number {
    const module = this.#module;
    const { model, sampling, text, tokens, values } = parts;
    return module.withFields(samplingLayout, sampling, (options) =>
      module.withCopy(text ?? new Uint8Array(), (grammar) =>
        module.withCopy(tokens, (biasTokens) =>
          module.withCopy(values, (biasValues) =>
            module.addressOf((out) => {
              module.run(
                "start sampling",
                "ruminate_sampler_open",
                model,
                options,
                text ? grammar : 0,
                biasTokens,
                biasValues,
                tokens.length,
                out,
              );
            }),
          ),
        ),
      ),
    );
  }
}

/** @throws {InferenceError} `grammar` */
export function schemaToGrammar(module: WasmModule, schema: object): string {
  const text = new TextEncoder().encode(JSON.stringify(schema));
  module.withCopy(text, (at) => module.run("use the JSON schema", "ruminate_schema_to_grammar", at, text.byteLength));
  return module.message();
}
