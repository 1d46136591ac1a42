import type * as ruminate from "../index.ts";

export type {
  Capabilities,
  DownloadOptions,
  GenerateOptions,
  Generation,
  KeptModel,
  LoadOptions,
  Message,
  Model,
  ModelSource,
  ModelSummary,
  Part,
  ReasoningOptions,
  Result,
  SamplingOptions,
  Session,
} from "../index.ts";

/** The part of the public API that the command line is a client of; a parameter everywhere, so that tests script it. */
export type Sdk = Pick<
  typeof ruminate,
  "loadModel" | "capabilities" | "inspectModel" | "downloadModel" | "keptModels" | "removeModel" | "InferenceError"
>;
