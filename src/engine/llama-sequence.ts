import type { NativeContext, NativeSampler } from "../wasm/context.ts";
import type { NativeModel } from "../wasm/model.ts";
import { commonPrefix } from "./prompt-tokens.ts";
import type { PromptUnit } from "./prompt-tokens.ts";

/** Tokens of the very first step of a prompt, and of the shortest: fewer would not fill the kernels' tiles. */
export const leastStep = 32;

/** What a KV cache holds, kept beside it: which tokens, and what text they spell. */
export class LlamaSequence {
  readonly model: NativeModel;
  readonly #context: NativeContext;
  #tokens: number[] = [];
  #units: PromptUnit[] = [];
  #said: { text: string; tokens: number[]; ends: number[] } | undefined;
  #speed: number | undefined;

  constructor(model: NativeModel, context: NativeContext) {
    this.model = model;
    this.#context = context;
  }

  /** Tokens that are evaluated at once, at most. */
  get batch(): number {
    return this.#context.batch;
  }

  /** Tokens a millisecond, of the last evaluation of a step's worth; undefined before the first. */
  get speed(): number | undefined {
    return this.#speed;
  }

  /** The prompt that was evaluated last, and what was said after it. */
  get units(): readonly PromptUnit[] {
    if (!this.#said || this.#said.tokens.length === 0) return this.#units;
    return [...this.#units, { kind: "raw", ...this.#said }];
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /**
   * Forgets what does not begin a prompt, and its last token, whose logits are wanted.
   *
   * @returns How many tokens of the prompt need not be evaluated.
   */
  rewindTo(units: readonly PromptUnit[], tokens: readonly number[]): number {
    this.#units = [...units];
    this.#said = { text: "", tokens: [], ends: [] };
    let kept = Math.min(commonPrefix(this.#tokens, tokens), tokens.length - 1);
    // A recurrent state can't be taken back.
    if (kept < this.#tokens.length && !this.#context.remove(kept)) {
      this.#context.remove(0);
      kept = 0;
    }
    this.#tokens.length = kept;
    return kept;
  }

  /** Evaluates tokens after those that are there. @returns Whether it did; not if it was cancelled. */
  evaluate(tokens: readonly number[]): boolean {
    const startedAt = performance.now();
    if (!this.#context.evaluate(tokens, { position: this.#tokens.length })) return false;
    if (tokens.length >= leastStep) this.#speed = tokens.length / Math.max(1, performance.now() - startedAt);
    for (const token of tokens) this.#tokens.push(token);
    return true;
  }

  sample(sampler: NativeSampler): number {
    return this.#context.sample(sampler);
  }

  logprobs(token: number, count: number): { readonly id: number; readonly logprob: number }[] {
    return this.#context.logprobs(token, count);
  }

  /** Remembers a token that was sampled, by the text that it added. */
  said(token: number, text: string): void {
    this.#said ??= { text: "", tokens: [], ends: [] };
    this.#said.text += text;
    this.#said.tokens.push(token);
    this.#said.ends.push(this.#said.text.length);
  }

  /** The KV cache with its tokens. */
  save(): { readonly tokens: readonly number[]; readonly units: readonly PromptUnit[]; readonly state: Uint8Array } {
    return { tokens: this.#tokens, units: this.units, state: this.#context.saveState() };
  }

  /** @throws {InferenceError} `format`; the cache is empty then */
  restore({ tokens, units, state }: ReturnType<LlamaSequence["save"]>): void {
    this.#tokens = [];
    this.#units = [];
    this.#said = undefined;
    this.#context.restoreState(state);
    this.#tokens = [...tokens];
    this.#units = [...units];
  }
}
