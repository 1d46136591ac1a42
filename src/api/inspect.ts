import { recommendedSampling } from "../context/recommended-sampling.ts";
import { estimateMemory } from "../gguf/estimate.ts";
import { modelFacts } from "../gguf/facts.ts";
import { readModelHeader } from "../gguf/model-header.ts";
import { openSource } from "../gguf/source.ts";
import { createPromptRenderer } from "../prompt/renderer.ts";
import { bundledModelUrl } from "./bundled-model.ts";
import type { LoadOptions, ModelSource, ModelSummary } from "./contract.ts";

const usualContext = 8192;

/**
 * What a model's header tells. Its weights are not fetched, and no engine is started.
 *
 * @param source Where the GGUF is; default: the small model of the package.
 * @throws {InferenceError} `network`, `format`
 * @throws `signal.reason` if aborted
 *
 * @example
 * ```ts
 * const { name, quantization, contextTrained } = await inspectModel("GLM-Z1-9B-0414-Q4_K_M.gguf");
 * ```
 */
export async function inspectModel(
  source: ModelSource = bundledModelUrl(),
  options: Pick<LoadOptions, "signal" | "fetch"> = {},
): Promise<ModelSummary> {
  const { signal } = options;
  const opened = await openSource(source, options);
  try {
    const header = await readModelHeader(opened.files, signal ? { signal } : {});
    const facts = modelFacts(header);
    const { family } = createPromptRenderer({
      template: facts.template,
      metadata: header.metadata,
      controlTokens: facts.controlTokens.keys(),
    });
    const sizes = new Set([Math.min(usualContext, facts.contextTrained), facts.contextTrained]);
    return {
      name: facts.name ?? header.label,
      architecture: header.architecture,
      sizeBytes: header.sizeBytes,
      parameters: header.tensors.reduce(
        (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
        0,
      ),
      tensors: header.tensors.length,
      quantization: facts.quantization,
      contextTrained: facts.contextTrained,
      vocabularySize: facts.vocabularySize,
      family: family.name,
      thinks: family.thinks,
      sampling: recommendedSampling(header.metadata),
      memory: [...sizes].map((contextSize) => ({ contextSize, bytes: estimateMemory(header, { contextSize }).total })),
      metadata: header.metadata,
    };
  } finally {
    await opened.close();
  }
}
