// The door for workerd, and so for Cloudflare Workers: WebAssembly can't be compiled in a handler there, only imported.
import { loadModel as load } from "./api/load.ts";
import type { LoadOptions, Model, ModelSource } from "./api/contract.ts";
import module from "../wasm/dist/ruminate-32.wasm";

/**
 * Loads a model, as in other hosts, into the thread of the Worker: there are no others. The module is the package's own,
 * imported with it.
 *
 * @param source Where the GGUF is: bytes, a URL, a Response. There is no default, since a Worker has no files, but for the
 *   model of a remote engine.
 * @throws {TypeError | RangeError} if an option is not of its kind
 * @throws {InferenceError} `network`, `format`, `memory`, `unsupported`, `crashed`
 * @throws `signal.reason` if aborted
 */
export function loadModel(source: ModelSource | undefined, options: LoadOptions = {}): Promise<Model> {
  return load(source, { ...options, wasm: { module, ...options.wasm } });
}

export { capabilities } from "./api/capabilities.ts";
export { inspectModel } from "./api/inspect.ts";
export { remote } from "./api/remote.ts";
export { memoryStore } from "./api/stores.ts";
export { planContext } from "./context/plan-context.ts";
export { recommendedSampling } from "./context/recommended-sampling.ts";
export { InferenceError } from "./errors.ts";
export { forceThinking, pruneHistory, ReasoningStream, splitReasoning } from "./reasoning/index.ts";
export { ruminate } from "./rumination/ruminate.ts";
export type * from "./index.ts";
