// The door `ruminate/reasoning`: strings and data in, data out, on any host.
export { ThinkingBudget } from "./budget.ts";
export type { BudgetRules, Piece, RoundSegment, Step } from "./budget.ts";
export { forceThinking, missingThinkingPrefix, startThinking } from "./force-thinking.ts";
export { splitReasoning } from "./split-reasoning.ts";
export { createSplitter } from "./splitter.ts";
export type { SplitPart, Splitter } from "./splitter.ts";
export { ReasoningStream } from "./stream.ts";
export { defaultTags } from "./tags.ts";
export type { ReasoningTags } from "./tags.ts";
export { pruneHistory } from "./prune-history.ts";
export type { PruneOptions } from "./prune-history.ts";
