import type { HeadStart } from "../engine/head-start.ts";
import { recommendedSampling } from "../context/recommended-sampling.ts";
import { modelFacts } from "../gguf/facts.ts";
import { arrangeWeights, readModelHeader } from "../gguf/model-header.ts";
import type { OpenedSource } from "../gguf/source.ts";
import { createPromptRenderer } from "../prompt/renderer.ts";
import { bundledModelUrl } from "./bundled-model.ts";
import type { LoadOptions, Model, ModelSource } from "./contract.ts";
import { LoadedModel } from "./model.ts";
import { checkLoadOptions } from "./options.ts";
import { RemoteFactory } from "./remote.ts";
import { beginEngine, planEngine } from "./start-engine.ts";
import { withSource } from "./with-source.ts";

/**
 * Loads a model: reads its header, refuses what is broken or can't fit, then fetches the weights and starts the engine.
 *
 * @param source Where the GGUF is; default: ruminate-nano, the small model of the package, or what a remote engine serves.
 * @throws {TypeError | RangeError} if an option is not of its kind
 * @throws {InferenceError} `network`, `format`, `integrity`, `memory` (before the weights are fetched, or where
 *   they are kept), `busy` (another process took the download over), `unsupported`, `crashed`
 * @throws `signal.reason` if aborted; nothing is left behind but the part in a `store`
 *
 * @example
 * ```ts
 * await using model = await loadModel("GLM-Z1-9B-0414-Q4_K_M.gguf");
 * for await (const part of model.chat([{ role: "user", content: "What is 47 + 85?" }])) {
 *   if (part.type === "text") console.log(part.text);
 * }
 * ```
 */
export async function loadModel(source?: ModelSource, options: LoadOptions = {}): Promise<Model> {
  checkLoadOptions(options);
  if (options.engine instanceof RemoteFactory) {
    // Few want it, and a page need not fetch it for the others.
    const { loadRemote } = await import("./load-remote.ts");
    return loadRemote(options.engine, source, options);
  }
  return loadHere(source ?? bundledModelUrl(), options);
}

async function loadHere(source: ModelSource, options: LoadOptions): Promise<Model> {
  const startedAt = performance.now();
  const headStart = beginEngine(options);
  try {
    return await withSource(source, options, (opened) => loadOpened(opened, { options, headStart, startedAt }));
  } finally {
    await headStart.end();
  }
}

async function loadOpened(
  opened: OpenedSource,
  { options, headStart, startedAt }: { options: LoadOptions; headStart: HeadStart; startedAt: number },
): Promise<Model> {
  const { signal, onprogress, context = {}, integrity } = options;
  const abortable = signal ? { signal } : {};
  const header = await readModelHeader(opened.files, abortable);
  const facts = modelFacts(header);
  const recommended = recommendedSampling(header.metadata);
  // What can't be run is refused before any weight is fetched.
  const { fit, start } = await planEngine({ header, facts, reply: recommended.maxTokens }, options, headStart);
  const prepared = await opened.prepare({ ...abortable, integrity, ...(onprogress ? { onprogress } : {}) });
  const engine = await start(arrangeWeights(header, prepared));
  return new LoadedModel({
    engine,
    header,
    facts,
    renderer: createPromptRenderer({
      template: facts.template,
      metadata: header.metadata,
      controlTokens: facts.controlTokens.keys(),
    }),
    recommended,
    context,
    fit,
    loadMs: performance.now() - startedAt,
    closeFiles: () => opened.close(),
  });
}
