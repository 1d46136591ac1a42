// The bundled model's header and template over the scripted engine: everything of the API but the arithmetic.
import { LoadedModel } from "../../../src/api/model.ts";
import type { ContextOptions } from "../../../src/api/contract.ts";
import type { SamplingOptions } from "../../../src/contract.ts";
import { modelFacts } from "../../../src/gguf/facts.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import { openLocalFile } from "../../../src/platform/files.ts";
import { createPromptRenderer } from "../../../src/prompt/renderer.ts";
import type { FakeEngineOptions, FakeScript } from "../../fake-engine.ts";
import { FakeEngine } from "../../fake-engine.ts";
import { nanoPath } from "../engine/nano.ts";

const file = await openLocalFile(nanoPath);
const header = await readModelHeader([file]);
await file.close();
const facts = modelFacts(header);

export interface ScriptedModelOptions extends Omit<FakeEngineOptions, "script"> {
  /** Options of the model; the engine's own context is `context` of the others. */
  readonly window?: ContextOptions;
  readonly recommended?: SamplingOptions;
  /** Tokens that the memory has room for; default: no bound that matters. */
  readonly largest?: number;
  readonly contextTrained?: number;
  /** Instead of the bundled model's. */
  readonly template?: string;
}

/** A model that says what `script` says, and its engine, to look at. */
export function scriptedModel(
  script: FakeScript,
  {
    window = {},
    recommended = {},
    largest = 100_000,
    contextTrained = 512,
    template = facts.template,
    ...engine
  }: ScriptedModelOptions = {},
): { model: LoadedModel; engine: FakeEngine; closed: () => number } {
  const initial = { size: contextTrained, kvType: "f16" } as const;
  const fake = new FakeEngine({ context: initial, ...engine, script });
  let closed = 0;
  const model = new LoadedModel({
    engine: fake,
    header: { ...header, metadata: new Map([...header.metadata, ["tokenizer.chat_template", template]]) },
    facts: { ...facts, contextTrained },
    renderer: createPromptRenderer({
      template,
      metadata: header.metadata,
      controlTokens: facts.controlTokens.keys(),
    }),
    recommended,
    context: window,
    fit: { initial, initialBytes: 0, largest },
    loadMs: 5,
    closeFiles: async () => void (closed += 1),
  });
  return { model, engine: fake, closed: () => closed };
}

/** What the engine was last given, as one text. */
export function lastPrompt(engine: FakeEngine): string {
  const call = engine.calls.at(-1);
  return (call?.segments ?? []).map((segment) => (segment.kind === "tokens" ? "" : segment.text)).join("");
}
