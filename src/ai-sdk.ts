// The door of `ruminate/ai-sdk`: a loaded model for the functions of the AI SDK (the package `ai`).
export { ruminate } from "./integrations/ai-sdk/ruminate.ts";

export type { Ruminate } from "./integrations/ai-sdk/ruminate.ts";
export type { RuminateProviderOptions, RuminateSettings } from "./integrations/ai-sdk/provider-options.ts";
