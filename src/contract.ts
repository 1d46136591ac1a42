// The public types that need no host: plain data. Every floor may import them; nothing here exists at run time.
// Those that name a web type (AbortSignal, Blob, streams) are in api/contract.ts.

// ---------------------------------------------------------------- messages
/** One message of a conversation. An assistant's `reasoning` is kept apart from its `content`. */
export type Message =
  | {
      /** Who says it: whoever wrote the program, or its user. */
      role: "system" | "user";
      /** Text. What looks like a control token in it is text, too. */
      content: string;
    }
  | {
      /** The model says it. */
      role: "assistant";
      /** What the user saw; empty where the model only called tools. */
      content: string;
      /** Its thoughts, without tags; whether the model is told of them is for `keepReasoning` to say. */
      reasoning?: string;
      /** What it asked for, in order; a message of role "tool" answers each. */
      toolCalls?: readonly ToolCall[];
    }
  | {
      /** A tool's result. */
      role: "tool";
      /** The `id` of the call that it answers. */
      toolCallId: string;
      /** What the model is told of it. */
      content: string;
    };
/** A call that the model asks for. */
export interface ToolCall {
  /** Made up for each call; the tool's message repeats it as its `toolCallId`. */
  id: string;
  /** That of one of the tools offered, or of one that the model's own template offers. */
  name: string;
  /** Parsed JSON, as the model wrote it: checked against the tool's schema only before the tool is run. */
  arguments: unknown;
}
/** What the model is told about a tool. */
export interface ToolDefinition {
  /** What the model writes to call it: not empty, and no other tool's. */
  name: string;
  /** When and why to call it, in words for the model. */
  description?: string;
  /** A JSON schema of the arguments. */
  parameters: object;
}

// ---------------------------------------------------------------- reasoning
/** How much the model thinks, and between which tags. Budgets are tokens. */
export interface ReasoningOptions {
  /**
   * "auto" (default): as the model's template does. "force" opens the thinking block exactly once, whether or not the
   * template did. "off" tells the template not to, and closes the block that it opens all the same.
   */
  mode?: "auto" | "force" | "off";
  /** Tokens of thought over all blocks; Infinity (default): no cap; 0: closed at once. It wins over `minimum`. */
  budget?: number;
  /** Tokens to think at least, default 0: an early closing tag is replaced by `nudge`, 8 times at most. */
  minimum?: number;
  /** What the model goes on with when it wanted to stop too early; default "Wait, ". It must not hold a tag. */
  nudge?: string;
  /** `message` is put before the closing tag when a block is closed for the model; default: nothing. */
  onBudget?: {
    /** A last thought, without tags; it is on a line of its own. */
    message?: string;
  };
  /** Default: those of the model's family, mostly `<think>` and `</think>`. Not blank, and none part of the other. */
  tags?: {
    /** Begins a block of thoughts. */
    open: string;
    /** Ends it. */
    close: string;
  };
}
/** Whose thoughts stay in a history: nobody's, those after the last user message (for tool loops), or all. */
export type KeepReasoning = "none" | "since-last-user" | "all";

// ---------------------------------------------------------------- sampling
/** How tokens are chosen. What is left out is what the model recommends, else llama.cpp's default, named below. */
export interface SamplingOptions {
  /** New tokens at most, thoughts included; 0 only evaluates the prompt. Default: what the context has left. */
  maxTokens?: number;
  /** How much chance there is: 0 always takes the likeliest token, at most 100; default 0.8. */
  temperature?: number;
  /** Only the likeliest tokens that together have this probability, 0 to 1; 1: all; default 0.95. */
  topP?: number;
  /** Only this many of the likeliest tokens; 0: all; default 40. */
  topK?: number;
  /** Only tokens at least this likely, relative to the likeliest, 0 to 1; 0: all; default 0.05. */
  minP?: number;
  /** Whole number from 0 to 2 ** 32 - 2 that repeats the same choices; default: never the same. */
  seed?: number;
  /** Above 1, the last 64 tokens are less likely to come again; 0.01 to 100; default 1: no effect. */
  repeatPenalty?: number;
}
/** The snippet as model cards print it for config.json; accepted as it stands. */
export interface RopeScaling {
  /** The one way of scaling that is known. */
  type: "yarn";
  /** Times the original context, 1 (off) to 4; used as it is for inputs longer than a quarter of that context. */
  factor: number;
  /** Tokens that the model was trained for. */
  original_max_position_embeddings: number;
}

// ---------------------------------------------------------------- generation
/**
 * What a generation streams: progress through the prompt in tokens, thoughts, text, tool calls and, last, one `finish`.
 * Where tools are run, a `tool-result` comes for each call as soon as there is one, `{ error }` if it failed, and then the
 * parts of the model's next turn.
 */
export type Part =
  | {
      /** Progress through the prompt. */
      type: "prefill";
      /** Tokens evaluated or taken from the KV cache so far. */
      done: number;
      /** Tokens of the prompt. */
      total: number;
      /** Tokens of it that were taken from the KV cache. */
      cached: number;
    }
  | {
      /** A piece of thought. */
      type: "reasoning";
      /** Without tags; never empty. */
      text: string;
      /** Of the tokens in this piece, where they were asked for. */
      logprobs?: readonly TokenLogprob[];
    }
  | {
      /** A piece of the answer. */
      type: "text";
      /** Never empty. */
      text: string;
      /** Of the tokens in this piece, where they were asked for. */
      logprobs?: readonly TokenLogprob[];
    }
  | {
      /** A call, once it is whole. */
      type: "tool-call";
      /** What is to be run, by the SDK or by you. */
      call: ToolCall;
    }
  | {
      /** A tool has run. */
      type: "tool-result";
      /** That of the call. */
      id: string;
      /** What the tool gave, or `{ error }` with a message. */
      result: unknown;
    }
  | {
      /** The last part. */
      type: "finish";
      /** What `result()` resolves with. */
      result: Result;
    };
/** A sampled token and how likely it was. */
export interface TokenLogprob {
  /** Its number in the vocabulary. */
  id: number;
  /** What it spells; not a whole character where that takes several tokens. */
  text: string;
  /** Natural logarithm of its probability before any sampling option, `logitBias` included, was applied; at most 0. */
  logprob: number;
  /** The likeliest tokens in its place, likeliest first, as many as `logprobs` asked for; absent if that was 0. */
  top?: readonly TokenLogprob[];
}
/** What one run came to. */
export interface Result {
  /** What the user is to see: no thoughts, no tool calls. Where tools were run, this and the next two are the last turn's. */
  text: string;
  /** All thoughts without their tags; blocks are joined by a line break. */
  reasoning: string;
  /** The reply as a message for the history, with its thoughts and tool calls. */
  message: Extract<Message, { role: "assistant" }>;
  /** Where tools were run: the turns that called them and their results, which come before `message` in the history. */
  toolMessages?: readonly Message[];
  /**
   * "stop": the model ended, or a stop text came. "length": `maxTokens` or the context was spent. "tool-calls": it
   * wants tools run, and they were left to you or `maxSteps` was reached. "abort": the iteration was left early, and this is what there was by then.
   */
  finishReason: "stop" | "length" | "tool-calls" | "abort";
  /** Who ended the last thinking block: "user" by `endReasoning()`; "cut": nobody did; "none": there was none. */
  reasoningEnd: "model" | "budget" | "user" | "none" | "cut";
  /** Tokens, of all turns together. */
  usage: {
    /** Of the prompt, those in the KV cache included. */
    prompt: number;
    /** Of the prompt, taken from the KV cache and not evaluated. */
    cached: number;
    /** Of the answer, tool calls included. */
    text: number;
    /** Of the thoughts and their tags. */
    reasoning: number;
  };
  /** Times in milliseconds, of all turns together. */
  timings: {
    /** All that `loadModel()` took. */
    loadMs: number;
    /** Evaluating prompts. */
    prefillMs: number;
    /** Sampling thoughts and answers. */
    decodeMs: number;
    /** From the start to the first token, waiting for other runs included. */
    firstTokenMs: number;
    /** Text and reasoning over `decodeMs`. */
    tokensPerSecond: number;
  };
}
