import { InvalidArgumentError } from "commander";
import type { ModelSource } from "./sdk.ts";

/** The smallest and largest value that an option takes. */
export interface Bounds {
  readonly min: number;
  readonly max?: number;
}

/** A parser of whole numbers. */
export function wholeNumber({ min, max = 2 ** 31 - 1 }: Bounds): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`);
  };
}

/** A parser of decimal numbers. */
export function decimal({ min, max = Infinity }: Bounds): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      max === Infinity ? `It takes a number from ${min} up.` : `It takes a number from ${min} to ${max}.`,
    );
  };
}

/** A parser that also takes a word, which stands for `value`. */
export function orWord<T>(parse: (text: string) => number, word: string, value: T): (text: string) => number | T {
  return (text) => {
    if (text === word) return value;
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof InvalidArgumentError)
        throw new InvalidArgumentError(`${error.message.replace(/\.$/, "")}, or "${word}".`);
      throw error;
    }
  };
}

/** A parser that collects each use of a repeatable option. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  if (text === "") throw new InvalidArgumentError("It takes at least one character.");
  return [...before, text];
}

/** The origin of a page. */
export function parseOrigin(text: string): string {
  if (text === "*" || (URL.canParse(text) && new URL(text).origin === text)) return text;
  throw new InvalidArgumentError('It takes "*" or an origin such as https://chat.example.');
}

/**
 * A model as the command line names it: a path, a URL, or `hf:owner/repo`, optionally with `:quantization` or
 * `/file.gguf` behind it.
 */
export function parseModel(text: string): ModelSource {
  if (text.trim() === "") throw new InvalidArgumentError("It takes a path, a URL or hf:owner/repo[:quant].");
  if (!text.startsWith("hf:")) return text;
  const match = /^hf:(?<repo>[\w.-]+\/[\w.-]+)(?:\/(?<file>[^:]+\.gguf)|:(?<quant>[\w.-]+))?$/i.exec(text);
  const { repo, file, quant } = match?.groups ?? {};
  if (!repo) throw new InvalidArgumentError("It takes hf:owner/repo, hf:owner/repo:quant or hf:owner/repo/file.gguf.");
  return { hf: repo, ...(file ? { file } : {}), ...(quant ? { quant } : {}) };
}

/** Whether a model that was parsed comes over the network. */
export function isRemote(model: ModelSource | undefined): model is string | Extract<ModelSource, { hf: string }> {
  if (typeof model === "string") return /^https?:/i.test(model);
  return typeof model === "object" && "hf" in model;
}
