// The public types of loading a model, and of its context.
import type { Message, RopeScaling } from "../contract.ts";
import type { ModelStore } from "../store/model-store.ts";

export type { ModelSource } from "../gguf/source.ts";
export type { ModelStore, StoreLock } from "../store/model-store.ts";

/** How a model is fetched, checked and run. Everything has a default that fits the host. */
export interface LoadOptions {
  /** Stops the loading, which rejects with `signal.reason` and leaves nothing behind but the part in a `store`. */
  signal?: AbortSignal;
  /**
   * Told of bytes: "fetch" counts over all files, what a `store` has of them included, `file` being one that comes in;
   * "verify" counts what is here already and is compared with its digest, for each file; "load" what the engine has read.
   * `total` is absent while a server has not told.
   */
  onprogress?: (event: { phase: "fetch" | "verify" | "load"; loaded: number; total?: number; file?: string }) => void;
  /**
   * Where what comes from an http(s) address or the Hub is kept beyond the model's life, so that it is fetched once and a
   * download that broke off goes on. "auto": the user's cache folder in Node, Deno and Bun, the origin-private file system
   * in browsers, `unsupported` elsewhere. Default: false. What is kept is used without asking the server.
   */
  store?: ModelStore | "auto" | false;
  /**
   * What the model's files have to be, else `integrity`: `sha256-<base64>` or 64 hexadecimal digits for one file, or one
   * for each file by its name. Checked as bytes come, before the weights are used. Default: what the Hub tells of a file.
   */
  integrity?: string | Readonly<Record<string, string>>;
  /** For the model's files, in place of the global one; not for the engine's. */
  fetch?: typeof globalThis.fetch;
  /**
   * "auto" (default): "llama", the package's own, where its module is present and the host runs it, else "wllama", with the
   * reason in `info.why`. A factory is what `remote()` makes.
   */
  engine?: "auto" | "llama" | "wllama" | EngineFactory;
  /** "auto" (default) and "cpu" compute on the processor; "webgpu" is `unsupported` in this version. */
  device?: "auto" | "cpu" | "webgpu";
  /**
   * 1 to 256. "auto" (default): by the size of the weights, one below 32 MiB, half of the cores below 512 MiB, all of
   * them above, and never more than 8. One in any case where the host shares no memory between threads.
   */
  threads?: number | "auto";
  /** "auto" (default): relaxed SIMD where the host has it, else fixed, which is slower. wllama has fixed SIMD only. */
  simd?: "auto" | "relaxed" | "fixed";
  /**
   * "auto" (default): 32-bit addresses, which are faster, for what takes up to 3.75 GiB, else 64-bit ones, up to 16 GiB.
   * wllama takes "auto" only.
   */
  memory?: "auto" | "wasm32" | "wasm64";
  /** The engine's file and worker, in place of the package's own. */
  wasm?: {
    /** Where the module is; of the kind that `memory`, `simd` and the host ask for. */
    url?: string | URL;
    /** A Subresource-Integrity string (sha256, 384 or 512) that the file has to fit, else `integrity`; not with wllama. */
    integrity?: string;
    /** One that is compiled already, of the same kind; not with wllama, nor with `integrity`. */
    module?: WebAssembly.Module;
    /** Starts the package's worker script, once for the engine and once for each further thread. */
    worker?: () => Worker;
  };
  /** For all requests to the model; a session may have its own. */
  context?: ContextOptions;
}
/** What this host can do, and for each thing that it cannot, why, in a sentence that says how to get it. */
export interface Capabilities {
  /** "workerd": Cloudflare Workers; "browser": pages and their workers; "unknown": none of them. */
  runtime: "node" | "deno" | "bun" | "browser" | "workerd" | "unknown";
  /** How many may run at once, at least 1: the cores, where threads can share memory. */
  threads: number;
  /** The best that this host's WebAssembly has. */
  simd: "none" | "fixed" | "relaxed";
  /** Whether memories and tables of WebAssembly may have 64-bit addresses. */
  memory64: boolean;
  /** Bytes that a model may take with everything around it: 16 GiB, or 4 where there is no shared 64-bit memory. */
  maxMemory: number;
  /** Whether the host offers an adapter; the engine of this version does not use it. */
  webgpu: boolean;
  /** In a page, whether its headers isolate it, which threads need; elsewhere, whether `SharedArrayBuffer` exists. */
  crossOriginIsolated: boolean;
  /** A sentence for each thing that is missing. */
  why: readonly string[];
}
/** An engine that the caller brings, as `LoadOptions.engine`; not taken yet in this version. */
export type EngineFactory = {
  /** What it makes, such as "remote". */
  readonly kind: string;
};

// ---------------------------------------------------------------- context
/** The window that a model or a session works in, and what happens when a conversation outgrows it. */
export interface ContextOptions {
  /** Tokens of prompt and reply, at least 1. "auto" (default): what the model, the request and the memory allow. */
  size?: number | "auto";
  /** How the KV cache is kept: "f16" (default), "q8_0" in 53 % of its bytes, or "q4_0" in 28 %. */
  kvType?: "f16" | "q8_0" | "q4_0";
  /**
   * "auto" (default): plain RoPE while it fits, YaRN with the smallest sufficient factor (at most 4) when it does not.
   * "off": never YaRN. By hand: an object, or a model card's snippet as it stands.
   */
  extend?:
    | "off"
    | "auto"
    | {
        /** The one way of scaling that is known. */
        type: "yarn";
        /** 1 (off) to 4; "auto" (default): the smallest that suffices. */
        factor?: number | "auto";
        /** Tokens that the model was trained for, if its file errs. */
        originalContext?: number;
        /** Inputs longer than so many tokens get YaRN, with a `factor` by number even if they fit without. */
        above?: number;
      }
    | RopeScaling;
  /**
   * What happens to a conversation that does not fit. "error" (default): `context-full`. "drop-oldest" drops as few of
   * the oldest turns as it takes, "shift" drops until half of the window is free; system messages and the last turn
   * stay. A function returns the messages to send instead; it is asked again while they do not fit, 6 times in all.
   */
  overflow?: "error" | "shift" | "drop-oldest" | ((event: OverflowEvent) => Promise<readonly Message[]>);
}
/** What an `overflow` function is told. */
export interface OverflowEvent {
  /** What was to be sent, the newest last. */
  messages: readonly Message[];
  /** Tokens of the prompt made of them, and of the reply: `maxTokens` if the request says it, else 1. */
  needed: number;
  /** Tokens that the context holds at most. */
  window: number;
  /** Aborts when the run is aborted or left. */
  signal?: AbortSignal;
}

// ---------------------------------------------------------------- generation
