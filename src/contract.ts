// The public types that need no host: plain data. Every floor may import them; nothing here exists at run time.
// Those that name a web type (AbortSignal, Blob, streams) are in api/contract.ts.

// ---------------------------------------------------------------- messages
/** One message of a conversation. An assistant's `reasoning` is kept apart from its `content`. */
export type Message =
  | { role: "system" | "user"; content: string }
  | { role: "assistant"; content: string; reasoning?: string; toolCalls?: readonly ToolCall[] }
  | { role: "tool"; toolCallId: string; content: string };
/** A call that the model asks for; `id` is what the tool's message answers to, `arguments` is parsed JSON. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: unknown;
}
/** What the model is told about a tool. `parameters`: a JSON schema. */
export interface ToolDefinition {
  name: string;
  description?: string;
  parameters: object;
}

// ---------------------------------------------------------------- reasoning
/** How much the model thinks, and between which tags. Budgets are tokens. */
export interface ReasoningOptions {
  /** "force" opens the thinking block exactly once, whether or not the template did. */
  mode?: "auto" | "force" | "off";
  /** Tokens inside the block; Infinity: no cap; 0: closed at once. */
  budget?: number;
  /** Tokens to think at least: an early closing tag is replaced by `nudge`. */
  minimum?: number;
  nudge?: string;
  /** Put before the forced closing tag when the budget is spent. */
  onBudget?: { message?: string };
  tags?: { open: string; close: string };
}
/** Whose thoughts stay in a history: nobody's, those after the last user message (for tool loops), or all. */
export type KeepReasoning = "none" | "since-last-user" | "all";

// ---------------------------------------------------------------- sampling
/** Counts are tokens; temperature 0 is greedy; topP and minP lie in 0..1; topK 0 means all; repeatPenalty 1 means none. */
export interface SamplingOptions {
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  minP?: number;
  seed?: number;
  repeatPenalty?: number;
}
/** The snippet as model cards print it for config.json; accepted as it stands. */
export interface RopeScaling {
  type: "yarn";
  factor: number;
  original_max_position_embeddings: number;
}

// ---------------------------------------------------------------- generation
/** What a generation streams: progress through the prompt, thoughts, text, tool calls and results, and one `finish`. */
export type Part =
  | { type: "prefill"; done: number; total: number; cached: number }
  | { type: "reasoning"; text: string; logprobs?: readonly TokenLogprob[] }
  | { type: "text"; text: string; logprobs?: readonly TokenLogprob[] }
  | { type: "tool-call"; call: ToolCall }
  | { type: "tool-result"; id: string; result: unknown }
  | { type: "finish"; result: Result };
/** A sampled token with its natural logarithm of probability, and the likeliest others where they were asked for. */
export interface TokenLogprob {
  id: number;
  text: string;
  logprob: number;
  top?: readonly TokenLogprob[];
}
/** What one run came to. */
export interface Result {
  text: string;
  reasoning: string;
  message: Extract<Message, { role: "assistant" }>;
  finishReason: "stop" | "length" | "tool-calls" | "abort";
  reasoningEnd: "model" | "budget" | "user" | "none" | "cut";
  /** Tokens. `cached`: prompt tokens taken from the KV cache, not evaluated. */
  usage: { prompt: number; cached: number; text: number; reasoning: number };
  timings: { loadMs: number; prefillMs: number; decodeMs: number; firstTokenMs: number; tokensPerSecond: number };
}
