import { readExtension } from "../context/rope-scaling.ts";
import { RemoteFactory } from "./remote.ts";
import type { ReasoningOptions, SamplingOptions } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import { parseIntegrity } from "../platform/integrity.ts";
import type { Engine, EngineCapabilities, Sampling } from "../engine/engine.ts";
import { checkTools } from "../prompt/messages.ts";
import { checkToolChoice } from "./tool-choice.ts";
import type { ContextOptions, GenerateOptions, LoadOptions } from "./contract.ts";

/** llama.cpp's own defaults, for models that recommend nothing. */
const defaultSampling: Sampling = { temperature: 0.8, topP: 0.95, topK: 40, minP: 0.05, repeatPenalty: 1 };

export type NumberRule = { readonly min: number; readonly max: number; readonly integer: boolean };

const samplingRules: Readonly<Record<keyof SamplingOptions, NumberRule>> = {
  maxTokens: { min: 0, max: 2 ** 31 - 1, integer: true },
  temperature: { min: 0, max: 100, integer: false },
  topP: { min: 0, max: 1, integer: false },
  topK: { min: 0, max: 2 ** 31 - 1, integer: true },
  minP: { min: 0, max: 1, integer: false },
  // llama.cpp takes the largest 32-bit number for "any seed".
  seed: { min: 0, max: 2 ** 32 - 2, integer: true },
  repeatPenalty: { min: 0.01, max: 100, integer: false },
};

/**
 * Checks everything about a request that needs no model.
 *
 * @throws {TypeError} if a value has the wrong type
 * @throws {RangeError} if a number is outside its range
 */
export function checkGenerateOptions(options: GenerateOptions & { keepReasoning?: unknown }): void {
  if (typeof options !== "object" || options === null) throw new TypeError("The options must be an object");
  for (const [name, rule] of Object.entries(samplingRules)) {
    // The keys of samplingRules are exactly those of SamplingOptions.
    checkNumber(name, options[name as keyof SamplingOptions], rule);
  }
  checkNumber("logprobs", options.logprobs, { min: 0, max: 100, integer: true });
  for (const stop of stopTexts(options)) {
    if (typeof stop !== "string" || stop === "")
      throw new TypeError("stop must be a non-empty string, or an array of them");
  }
  const { logitBias, tools, signal } = options;
  if (logitBias !== undefined && !(logitBias instanceof Map)) throw new TypeError("logitBias must be a Map");
  if (tools !== undefined) checkTools(tools);
  const unfit = tools?.find(({ execute }) => execute !== undefined && typeof execute !== "function");
  if (unfit) throw new TypeError(`execute of the tool ${unfit.name} must be a function, not ${typeof unfit.execute}`);
  checkNumber("maxSteps", options.maxSteps, { min: 1, max: 1000, integer: true });
  checkToolChoice(options);
  if (signal !== undefined && typeof signal?.aborted !== "boolean")
    throw new TypeError("signal must be an AbortSignal");
  oneOf("keepReasoning", options.keepReasoning, ["none", "since-last-user", "all"]);
  for (const [id, bias] of logitBias ?? []) {
    checkNumber("a token id of logitBias", id, { min: 0, max: 2 ** 31 - 1, integer: true });
    if (typeof bias !== "number" || !(bias < Infinity)) {
      throw new TypeError(`logitBias of token ${id} must be a finite number or -Infinity, not ${String(bias)}`);
    }
  }
  checkFormat(options.format);
  checkReasoning(reasoningOptions(options));
}

function checkFormat(format: GenerateOptions["format"]): void {
  if (format === undefined) return;
  if (typeof format !== "object" || format === null) throw new TypeError("format must be an object with a type");
  oneOf("format.type", format.type, ["json", "gbnf"]);
  if (format.type === "gbnf" && (typeof format.grammar !== "string" || format.grammar.trim() === "")) {
    throw new TypeError("format.grammar must be a GBNF grammar, as text");
  }
  if (format.type === "json" && format.schema !== undefined && (typeof format.schema !== "object" || !format.schema)) {
    throw new TypeError("format.schema must be a JSON schema, as an object");
  }
}

function checkReasoning({ mode, budget, minimum, tags }: ReasoningOptions): void {
  if (mode !== undefined && !["auto", "force", "off"].includes(mode)) {
    throw new TypeError(`reasoning.mode must be "auto", "force" or "off", not ${JSON.stringify(mode)}`);
  }
  if (budget !== Infinity) checkNumber("reasoning.budget", budget, { min: 0, max: 2 ** 31 - 1, integer: true });
  checkNumber("reasoning.minimum", minimum, { min: 0, max: 2 ** 31 - 1, integer: true });
  if (tags && (!tags.open || !tags.close || tags.open === tags.close)) {
    throw new TypeError("reasoning.tags must be two different, non-empty strings");
  }
}

/** @throws {TypeError | RangeError} if it is given and not such a number */
export function checkNumber(name: string, value: unknown, { min, max, integer }: NumberRule): void {
  if (value === undefined) return;
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  const whole = !integer || Number.isInteger(value);
  if (!whole || !(value >= min && value <= max)) {
    throw new RangeError(
      `${name} must be ${integer ? "a whole number" : "a number"} from ${min} to ${max}, not ${value}`,
    );
  }
}

/** The reasoning options of a request, its short form written out. */
export function reasoningOptions({ reasoning }: GenerateOptions): ReasoningOptions {
  if (reasoning === undefined) return {};
  if (typeof reasoning === "string") return { mode: reasoning };
  if (typeof reasoning !== "object" || reasoning === null) throw new TypeError("reasoning must be a mode or an object");
  return reasoning;
}

/** The stop texts of a request, as a list. */
export function stopTexts({ stop }: GenerateOptions): readonly string[] {
  if (stop === undefined) return [];
  if (typeof stop === "string") return [stop];
  if (!Array.isArray(stop)) throw new TypeError("stop must be a non-empty string, or an array of them");
  return stop;
}

/** Sampling for one request: what it asks for, else what the model recommends, else llama.cpp's defaults. */
export function resolveSampling(options: GenerateOptions, recommended: SamplingOptions): Sampling {
  const pick = (name: "temperature" | "topP" | "topK" | "minP" | "repeatPenalty"): number =>
    options[name] ?? recommended[name] ?? defaultSampling[name];
  const seed = options.seed ?? recommended.seed;
  return {
    temperature: pick("temperature"),
    topP: pick("topP"),
    topK: pick("topK"),
    minP: pick("minP"),
    repeatPenalty: pick("repeatPenalty"),
    ...(seed === undefined ? {} : { seed }),
  };
}

/**
 * Refuses what this engine can't do, before anything runs.
 *
 * @throws {InferenceError} `unsupported`
 */
export function checkSupported(options: GenerateOptions, engine: Engine): void {
  const needs: [boolean, keyof EngineCapabilities, string][] = [
    [options.logprobs !== undefined, "logprobs", "report logprobs"],
    [options.logitBias !== undefined && options.logitBias.size > 0, "logitBias", "apply logitBias"],
    [options.format?.type === "gbnf", "grammar", "follow a GBNF grammar"],
    [options.format?.type === "json", "jsonSchema", "follow a JSON schema"],
  ];
  for (const [wanted, capability, action] of needs) if (wanted) requireCapability(engine, capability, action);
}

/**
 * @param action What was asked for, as a verb phrase.
 * @throws {InferenceError} `unsupported` if the engine does not declare the capability
 */
export function requireCapability(engine: Engine, capability: keyof EngineCapabilities, action: string): void {
  if (engine.capabilities[capability]) return;
  throw new InferenceError("unsupported", `Cannot ${action}: the ${engine.info.engine} engine has no ${capability}`, {
    details: { engine: engine.info.engine, capability },
  });
}

/**
 * Refuses load options that nothing behind them exists for, rather than ignore them.
 *
 * @throws {TypeError} if a value is not one of those allowed
 * @throws {RangeError} if `threads` or `context.size` is not a whole number from 1
 * @throws {InferenceError} `unsupported`
 */
export function checkLoadOptions(options: LoadOptions): void {
  if (typeof options !== "object" || options === null) throw new TypeError("The options must be an object");
  const { threads } = options;
  const isWllama = options.engine === "wllama";
  const wasm = record("wasm", options.wasm);
  if (threads !== "auto") checkNumber("threads", threads, { min: 1, max: 256, integer: true });
  if (!(options.engine instanceof RemoteFactory)) oneOf("engine", options.engine, ["auto", "wllama", "llama"]);
  oneOf("device", options.device, ["auto", "cpu", "webgpu"]);
  oneOf("simd", options.simd, ["auto", "relaxed", "fixed"]);
  oneOf("memory", options.memory, ["auto", "wasm32", "wasm64"]);
  checkContextOptions(options.context);
  checkStore(options.store);
  checkIntegrity(options.integrity);
  if (wasm.integrity !== undefined) parseIntegrity(wasm.integrity, "wasm.integrity");
  if (wasm.integrity !== undefined && wasm.module !== undefined) {
    throw new TypeError("Both wasm.module and wasm.integrity are given; a module's bytes can't be seen any more");
  }
  const refused: [boolean, string][] = [
    [options.device === "webgpu", "the engine computes on the CPU only; leave device out"],
    [isWllama && options.simd === "relaxed", "wllama's module is built with fixed SIMD; leave simd out"],
    [
      isWllama && options.memory !== undefined && options.memory !== "auto",
      "wllama picks the memory by host; leave memory out",
    ],
    [isWllama && wasm.integrity !== undefined, "wllama fetches its module itself, unchecked; leave wasm.integrity out"],
    [isWllama && wasm.module !== undefined, "wllama's module is loaded by URL only; use wasm.url"],
  ];
  for (const [hit, reason] of refused) {
    if (hit) throw new InferenceError("unsupported", `Cannot load the model as asked: ${reason}`);
  }
}

/** @throws {TypeError} if it is neither "auto" nor false nor a store */
export function checkStore(store: unknown): void {
  if (store === undefined || store === false || store === "auto") return;
  const methods = ["open", "create", "delete", "keys"];
  const isStore =
    typeof store === "object" &&
    store !== null &&
    methods.every((name) => typeof Reflect.get(store, name) === "function");
  if (!isStore) {
    throw new TypeError(
      `store must be "auto", false, or an object with open, create, delete and keys, not ${String(store)}`,
    );
  }
}

/** @throws {TypeError} if it is neither a digest nor an object of them */
export function checkIntegrity(integrity: unknown): void {
  if (integrity === undefined) return;
  if (typeof integrity !== "object" || integrity === null) {
    parseIntegrity(integrity, "integrity");
    return;
  }
  for (const [name, digest] of Object.entries(integrity)) parseIntegrity(digest, `integrity of ${name}`);
}

/**
 * Checks the options of a context.
 *
 * @throws {TypeError} if a value is not one of those allowed
 * @throws {RangeError} if a number is not one of its kind
 */
export function checkContextOptions(context: ContextOptions | undefined): void {
  const { size, kvType, extend, overflow } = record("context", context);
  if (size !== "auto") checkNumber("context.size", size, { min: 1, max: 2 ** 31 - 1, integer: true });
  oneOf("context.kvType", kvType, ["f16", "q8_0", "q4_0"]);
  readExtension(extend);
  if (typeof overflow !== "function") oneOf("context.overflow", overflow, ["error", "shift", "drop-oldest"]);
}

function record<T extends object>(name: string, value: T | undefined): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) throw new TypeError(`${name} must be an object`);
  return value;
}

function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || (typeof value === "string" && allowed.includes(value))) return;
  throw new TypeError(`${name} must be one of ${allowed.join(", ")}, not ${String(value)}`);
}
