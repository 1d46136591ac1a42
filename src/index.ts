// The door of the package: what users import, and nothing else.
export { capabilities } from "./api/capabilities.ts";
export { inspectModel } from "./api/inspect.ts";
export { downloadModel, keptModels, removeModel } from "./api/keep.ts";
export { loadModel } from "./api/load.ts";
export { remote } from "./api/remote.ts";
export { diskStore, memoryStore } from "./api/stores.ts";
export { planContext } from "./context/plan-context.ts";
export { recommendedSampling } from "./context/recommended-sampling.ts";
export { InferenceError } from "./errors.ts";
export { forceThinking, pruneHistory, ReasoningStream, splitReasoning } from "./reasoning/index.ts";
export { ruminate } from "./rumination/ruminate.ts";

export type {
  Capabilities,
  ContextOptions,
  EngineFactory,
  GenerateOptions,
  Generation,
  LoadOptions,
  Model,
  ModelSource,
  ModelStore,
  ModelSummary,
  OverflowEvent,
  Session,
  SessionOptions,
  StoreLock,
  Tool,
} from "./api/contract.ts";
export type { DownloadedModel, DownloadOptions, KeptModel } from "./api/keep.ts";
export type { DiskStoreOptions } from "./api/stores.ts";
export type {
  KeepReasoning,
  Message,
  Part,
  ReasoningOptions,
  Result,
  RopeScaling,
  SamplingOptions,
  TokenLogprob,
  ToolCall,
  ToolDefinition,
} from "./contract.ts";
export type { RemoteOptions } from "./api/remote.ts";
export type { ContextRequest, YarnPlan } from "./context/plan-context.ts";
export type { ErrorCode } from "./errors.ts";
export type {
  Library,
  Page,
  RuminateOptions,
  Rumination,
  RuminationBudget,
  RuminationCall,
  RuminationFinish,
  RuminationPart,
  RuminationResult,
  RuminationStart,
  RuminationStep,
  SearchHit,
  Source,
  TitledPage,
} from "./rumination/contract.ts";
