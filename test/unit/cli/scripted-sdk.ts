// A public API that plays a script, for the command line's tests: in this process or in one of their own.
import { ModelGeneration } from "../../../src/api/generation.ts";
import type {
  Capabilities,
  DownloadOptions,
  GenerateOptions,
  KeptModel,
  LoadOptions,
  Model,
  ModelSource,
  ModelSummary,
  Part,
  Result,
  Sdk,
  Session,
} from "../../../src/cli/sdk.ts";
import type { Message } from "../../../src/contract.ts";
import { InferenceError } from "../../../src/errors.ts";

export interface Script {
  /** What each turn yields before its end; the last one is repeated. */
  turns?: readonly (readonly ScriptedPart[])[];
  /** Each turn yields its parts so many times; default 1. */
  times?: number;
  /** After its parts a turn waits for an abort, and then takes so long to obey: 0, or never. */
  hold?: "until-abort" | "for-ever";
  progress?: readonly Parameters<NonNullable<LoadOptions["onprogress"]>>[0][];
  loadError?: Error;
  /** What is kept; what `rm` finds is the first. */
  kept?: readonly KeptModel[];
  turnError?: Error;
  result?: Partial<Result>;
  capabilities?: Partial<Capabilities>;
}
export type ScriptedPart = Extract<Part, { type: "reasoning" | "text" | "prefill" }>;

export interface Calls {
  loads: { source: ModelSource | undefined; options: LoadOptions }[];
  chats: { messages: readonly Message[]; options: GenerateOptions }[];
  generates: { prompt: string | Uint32Array; options: GenerateOptions }[];
  sessions: { system?: string; history: readonly Message[]; keepReasoning?: string }[];
  prompts: { input: string; options: GenerateOptions }[];
  inspected: (ModelSource | undefined)[];
  pulled: { source: ModelSource; options: DownloadOptions }[];
  removed: (string | URL | object)[];
  closed: number;
}

export const thought = (text: string): ScriptedPart => ({ type: "reasoning", text });
export const answer = (text: string): ScriptedPart => ({ type: "text", text });

export const usualTurn: readonly ScriptedPart[] = [
  { type: "prefill", done: 12, total: 12, cached: 4 },
  thought("\n7 + 5 = 12,"),
  thought(" carry 1\n"),
  answer("\n47 + 85"),
  answer(" = 132"),
];

export function createScriptedSdk(script: Script = {}): { sdk: Sdk; calls: Calls } {
  const calls: Calls = {
    loads: [],
    chats: [],
    generates: [],
    sessions: [],
    prompts: [],
    inspected: [],
    pulled: [],
    removed: [],
    closed: 0,
  };
  const turns = script.turns ?? [usualTurn];
  let turn = 0;
  const generation = (options: GenerateOptions, onFinish?: (result: Result) => void): ModelGeneration => {
    const once = turns[Math.min(turn++, turns.length - 1)] ?? [];
    const parts = Array.from({ length: script.times ?? 1 }, () => once).flat();
    return new ModelGeneration(async function* run() {
      options.signal?.throwIfAborted();
      for (const part of parts) {
        yield part;
        options.signal?.throwIfAborted();
      }
      if (script.turnError) throw script.turnError;
      if (script.hold) await untilAborted(options.signal, script.hold);
      const result = { ...resultOf(parts), ...script.result };
      onFinish?.(result);
      yield { type: "finish", result };
    });
  };
  const model: Pick<Model, "info" | "chat" | "generate" | "session" | "close"> = {
    info: {
      architecture: "glm4",
      name: "scripted",
      contextTrained: 512,
      vocabularySize: 1024,
      sizeBytes: 4_389_312,
      engine: "script",
      threads: 1,
      simd: "none",
      memory: "none",
      why: [],
      metadata: new Map(),
    },
    chat(messages, options = {}) {
      calls.chats.push({ messages, options });
      return generation(options);
    },
    generate(prompt, options = {}) {
      calls.generates.push({ prompt, options });
      return generation(options);
    },
    session(options = {}) {
      const { system, history = [], keepReasoning } = options;
      calls.sessions.push({ history, ...(system ? { system } : {}), ...(keepReasoning ? { keepReasoning } : {}) });
      const messages: Message[] = [...(system ? [{ role: "system" as const, content: system }] : []), ...history];
      const session: Pick<Session, "messages" | "prompt" | "close"> = {
        messages,
        prompt(input, promptOptions = {}) {
          if (typeof input !== "string") throw new TypeError("the script takes text only");
          calls.prompts.push({ input, options: promptOptions });
          return generation(promptOptions, ({ text }) => {
            messages.push({ role: "user", content: input }, { role: "assistant", content: text });
          });
        },
        close: () => Promise.resolve(),
      };
      // The command line uses no more of a session than this.
      return Promise.resolve(session as Session);
    },
    close() {
      calls.closed += 1;
      return Promise.resolve();
    },
  };
  const sdk: Sdk = {
    InferenceError,
    async loadModel(source, options = {}) {
      calls.loads.push({ source, options });
      await Promise.resolve();
      for (const event of script.progress ?? []) options.onprogress?.(event);
      if (script.loadError) throw script.loadError;
      // Nor more of a model than this.
      return model as Model;
    },
    capabilities: () => Promise.resolve({ ...usualCapabilities, ...script.capabilities }),
    async downloadModel(source, options = {}) {
      calls.pulled.push({ source, options });
      await Promise.resolve();
      for (const event of script.progress ?? []) options.onprogress?.(event);
      if (script.loadError) throw script.loadError;
      if (script.hold) await untilAborted(options.signal, script.hold);
      return { name: "scripted", files: ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"], sizeBytes: 6_200_000_000 };
    },
    keptModels: () => Promise.resolve([...(script.kept ?? [])]),
    removeModel(model) {
      calls.removed.push(model);
      return Promise.resolve((script.kept ?? []).slice(0, 1));
    },
    inspectModel(source) {
      calls.inspected.push(source);
      return script.loadError ? Promise.reject(script.loadError) : Promise.resolve(usualSummary);
    },
  };
  return { sdk, calls };
}

export const usualCapabilities: Capabilities = {
  runtime: "node",
  threads: 2,
  simd: "fixed",
  memory64: true,
  maxMemory: 4 * 2 ** 30,
  webgpu: false,
  crossOriginIsolated: true,
  why: ["WebGPU: this runtime has no navigator.gpu; run in a browser to use one"],
};

export const usualSummary: ModelSummary = {
  name: "GLM-Z1-9B-0414",
  architecture: "glm4",
  sizeBytes: 6_200_000_000,
  parameters: 9_400_279_040,
  tensors: 523,
  quantization: "Q4_K_M",
  contextTrained: 32768,
  vocabularySize: 151552,
  family: "glm-z1",
  thinks: true,
  sampling: { temperature: 0.6, topP: 0.95, topK: 40, maxTokens: 30000 },
  memory: [
    { contextSize: 8192, bytes: 3.5 * 2 ** 30 },
    { contextSize: 32768, bytes: 7.25 * 2 ** 30 },
  ],
  metadata: new Map<string, unknown>([
    ["general.architecture", "glm4"],
    ["general.size", 9_007_199_254_740_993n],
    ["glm4.block_count", 40n],
    ["glm4.sections", new Int32Array([1, 2])],
    ["tokenizer.ggml.tokens", Array.from({ length: 1000 }, String)],
  ]),
};

function resultOf(parts: readonly ScriptedPart[]): Result {
  const joined = (type: string): string =>
    parts
      .flatMap((part) => (part.type === type && "text" in part ? [part.text] : []))
      .join("")
      .trim();
  const text = joined("text");
  return {
    text,
    reasoning: joined("reasoning"),
    message: { role: "assistant", content: text, reasoning: joined("reasoning") },
    finishReason: "stop",
    reasoningEnd: "model",
    usage: { prompt: 12, cached: 4, text: 5, reasoning: 9 },
    timings: { loadMs: 80, prefillMs: 20, decodeMs: 100, firstTokenMs: 120, tokensPerSecond: 140.04 },
  };
}

function untilAborted(signal: AbortSignal | undefined, hold: "until-abort" | "for-ever"): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  // An open timer, so that a process of its own stays alive as an engine's worker would keep it.
  const alive = setInterval(() => {}, 1000);
  signal?.addEventListener("abort", () => {
    if (hold === "for-ever") return;
    clearInterval(alive);
    reject(signal.reason);
  });
  return promise;
}
