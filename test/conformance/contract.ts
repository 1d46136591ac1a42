import type { Golden } from "../golden/make.ts";
import type { LoadOptions, Model } from "../../src/index.ts";

/** The package under test: the module namespace of `dist/index.js` (or of the unbuilt source). */
export type Sdk = typeof import("../../src/index.ts");

/** The package's other doors that a host can open: the modules beside its entry. */
export interface Doors {
  readonly openai: typeof import("../../src/openai.ts");
  readonly aiSdk: typeof import("../../src/ai-sdk.ts");
}

/**
 * What one runtime or engine can't do, by name. A case that needs it runs its `absent` half there instead: that proves
 * the gap to be true, and told to the user.
 */
export type GapName = "threads" | "files" | "tokenize" | "json" | "logprobs" | "state" | "embed" | "rank";
/** The gaps of one column, each with its reason in a sentence. */
export type Gaps = Readonly<Partial<Record<GapName, string>>>;

/** Which engine to ask for, and which of its modules. */
export type EngineWishes = { readonly engine: "wllama" | "llama" } & Pick<LoadOptions, "memory" | "simd">;

/** What a runner tells its host, as JSON. */
export interface HostConfig {
  readonly runtime: "node" | "deno" | "bun" | "chromium" | "firefox" | "workerd";
  readonly engine: EngineWishes;
  /** Threads to ask for. */
  readonly threads: number;
  /** Threads that this host must give. */
  readonly threadsExpected: number;
  /** Cross-origin isolation of the page; true outside browsers, where nothing is held back. */
  readonly isolated: boolean;
  /** URL of the package's entry module. */
  readonly sdk: string;
  /** Where models and fixtures are served, without a slash at the end. */
  readonly origin: string;
  /** The same files on disk, for hosts that have one. */
  readonly files?: { readonly model: string; readonly shards: readonly string[] };
  readonly gaps: Gaps;
  /** Only the cases marked `smoke`. */
  readonly smoke: boolean;
  /** Only the cases whose name contains this. */
  readonly only?: string;
  /** For one case. */
  readonly timeoutMs: number;
}

/** What a case is given beside the package. */
export interface ConformanceContext extends HostConfig {
  readonly golden: Golden;
  readonly urls: {
    readonly model: string;
    /** Two halves of the model, in order. */
    readonly shards: readonly string[];
    /** Claims 40 GB; `sent` answers how many bytes of it were sent, as JSON. */
    readonly huge: string;
    readonly hugeSent: string;
    readonly missing: string;
  };
  /** What `loadModel` is to be given, so that the column runs as it says. */
  readonly load: LoadOptions;
  /** One bundled model for all cases that only ask it things. */
  model(): Promise<Model>;
  doors(): Promise<Doors>;
  /** Errors and rejections that nobody handled, so far. */
  readonly unhandled: readonly string[];
}

/** One promise of the package, proven in every runtime by the same code. */
export interface ConformanceCase {
  /** Symbol and criterion. */
  readonly name: string;
  /** Part of the short list that runs where the whole one would tell nothing new. */
  readonly smoke?: boolean;
  readonly needs?: GapName;
  run(sdk: Sdk, context: ConformanceContext): Promise<void>;
  /** Runs instead where `needs` is a gap: proves that it is one, and that the user is told why. */
  absent?(sdk: Sdk, context: ConformanceContext): Promise<void>;
}

export type Outcome = "passed" | "failed" | "gap";
export interface CaseResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly ms: number;
  /** Why it failed, or why it is a gap. */
  readonly message?: string;
}
/** What a host reports while it runs, one JSON object a line. */
export type HostReport =
  | { readonly type: "start"; readonly name: string }
  | { readonly type: "result"; readonly result: CaseResult }
  /** The host itself failed: the package could not be imported, say. Nothing follows. */
  | { readonly type: "broken"; readonly message: string }
  | { readonly type: "end" };
