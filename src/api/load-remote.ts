// A model whose weights are on a server: what the SDK does for a model, it does here, and the server completes.
import { recommendedSampling } from "../context/recommended-sampling.ts";
import { RemoteEngine } from "../engine/remote/engine.ts";
import { exploreServer } from "../engine/remote/server.ts";
import type { RemoteServer } from "../engine/remote/server.ts";
import { modelFacts } from "../gguf/facts.ts";
import { readModelHeader } from "../gguf/model-header.ts";
import type { ModelHeader } from "../gguf/model-header.ts";
import { openSource } from "../gguf/source.ts";
import { createPromptRenderer } from "../prompt/renderer.ts";
import type { LoadOptions, Model, ModelSource } from "./contract.ts";
import { LoadedModel } from "./model.ts";
import type { RemoteFactory } from "./remote.ts";

/** Tokens of a context where neither the server nor the caller tells. */
const usualContext = 32_768;

/**
 * Loads a model that a server runs.
 *
 * @param source A GGUF of the same model, of which the header alone is read.
 * @throws {InferenceError} `network`, `format`, `unsupported`
 */
export async function loadRemote(
  engine: RemoteFactory,
  source: ModelSource | undefined,
  options: LoadOptions,
): Promise<Model> {
  const { signal, context = {} } = options;
  const startedAt = performance.now();
  const { address, model } = engine;
  const server = await exploreServer(address, { model, signal });
  const header = source === undefined ? headerOf(server) : await readHeader(source, options);
  const window = typeof context.size === "number" ? context.size : (server.contextSize ?? usualContext);
  // The server stretches its context by itself, or not at all.
  const facts = { ...modelFacts(header), contextTrained: window };
  const template = engine.template ?? facts.template ?? server.template;
  return new LoadedModel({
    engine: new RemoteEngine({ address, server, facts, window }),
    header,
    facts,
    renderer: createPromptRenderer({
      template,
      metadata: header.metadata,
      controlTokens: facts.controlTokens.keys(),
    }),
    recommended: recommendedSampling(header.metadata),
    context,
    fit: { initial: { size: window, kvType: "f16" }, initialBytes: 0, largest: window },
    loadMs: performance.now() - startedAt,
    closeFiles: async () => undefined,
  });
}

async function readHeader(source: ModelSource, { signal, fetch }: LoadOptions): Promise<ModelHeader> {
  const abortable = signal ? { signal } : {};
  const opened = await openSource(source, { ...abortable, ...(fetch ? { fetch } : {}) });
  try {
    return await readModelHeader(opened.files, abortable);
  } finally {
    await opened.close();
  }
}

/** As much of a header as a server tells. */
function headerOf({ model, contextSize = usualContext, template }: RemoteServer): ModelHeader {
  const metadata = new Map<string, unknown>([
    ["general.architecture", "unknown"],
    ["general.name", model],
    ["unknown.context_length", contextSize],
    ...(template === undefined ? [] : [["tokenizer.chat_template", template] as const]),
  ]);
  return { label: model, architecture: "unknown", metadata, tensors: [], sizeBytes: 0, shards: [] };
}
