// An engine whose model is a function: what the floors above are tested with. It counts, caches, aborts and crashes
// like a real one, and passes the same contract test (test/unit/engine/contract.ts).
import { InferenceError } from "../src/errors.ts";
import type {
  CompleteOptions,
  ContextConfig,
  Engine,
  EngineCapabilities,
  EngineEvent,
  EngineInfo,
} from "../src/engine/engine.ts";
import type { PromptSegment } from "../src/prompt/segment.ts";

/** What the model says after `prompt` (all segments joined): pieces, each one token, or a text to cut into tokens. */
export type FakeScript = (prompt: string, call: FakeCall) => string | Iterable<string> | AsyncIterable<string>;

export interface FakeCall {
  readonly segments: readonly PromptSegment[];
  readonly options: CompleteOptions;
}

export interface FakeEngineOptions {
  readonly script: FakeScript;
  /** Texts that are one token in control segments, and end generation nowhere by themselves. */
  readonly controlTokens?: readonly string[];
  readonly context?: ContextConfig;
  readonly capabilities?: Partial<EngineCapabilities>;
  readonly info?: Partial<EngineInfo>;
  /** Pause before each token, in milliseconds; 0 still gives other work a turn. */
  readonly tokenDelayMs?: number;
  /** Tokens a prefill step evaluates. Default 16. */
  readonly batch?: number;
}

const glmControlTokens: readonly string[] = [
  "<|endoftext|>",
  "[gMASK]",
  "<sop>",
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|observation|>",
];

const notSupported: EngineCapabilities = {
  tokenize: false,
  logprobs: false,
  logitBias: false,
  grammar: false,
  jsonSchema: false,
  state: false,
  embed: false,
  rank: false,
};

/** A word with the space before it, a digit, or one other character. */
const tokenPattern = / ?[\p{L}_]+|[\s\S]/gu;

export class FakeEngine implements Engine {
  readonly info: EngineInfo;
  readonly capabilities: EngineCapabilities;
  /** Every completion that was started, oldest first. */
  readonly calls: FakeCall[] = [];
  /** Every context that was set up, the first included. */
  readonly contexts: ContextConfig[] = [];
  /** Completions that were stopped by `break`, `signal` or `close()`. */
  cancelled = 0;
  #script: FakeScript;
  #control: readonly string[];
  #context: ContextConfig;
  #cache: string[] = [];
  #busy = false;
  #delayMs: number;
  #batch: number;
  #dead: InferenceError | undefined;
  #onDead: () => void = () => undefined;
  #untilDead: Promise<void>;
  #crashAfter = Number.POSITIVE_INFINITY;

  constructor(options: FakeEngineOptions) {
    this.#script = options.script;
    this.#control = options.controlTokens ?? glmControlTokens;
    this.#context = options.context ?? { size: 512, kvType: "f16" };
    this.contexts.push(this.#context);
    this.#delayMs = options.tokenDelayMs ?? 0;
    this.#batch = options.batch ?? 16;
    this.capabilities = { ...notSupported, ...options.capabilities };
    this.info = {
      engine: "fake",
      threads: 1,
      simd: "none",
      memory: "wasm32",
      why: [],
      ...options.info,
    };
    this.#untilDead = new Promise((resolve) => (this.#onDead = resolve));
  }

  /** Replaces what the model says from the next completion on. */
  script(script: FakeScript): void {
    this.#script = script;
  }

  /** Dies now: everything pending and everything later rejects with `crashed`. */
  crash(): void {
    this.#die(new InferenceError("crashed", "Cannot run the fake engine: it crashed; load the model again"));
  }

  /** Dies after `tokens` more sampled tokens. */
  crashAfter(tokens: number): void {
    this.#crashAfter = tokens;
  }

  /** Tokens as this engine counts them. */
  tokensOf(segments: readonly PromptSegment[]): string[] {
    return segments.flatMap((segment) => {
      if (segment.kind === "tokens") return Array.from(segment.ids, (id) => this.#control[id] ?? `<id ${id}>`);
      if (segment.kind === "content") return plainTokens(segment.text);
      return this.#cut(segment.text);
    });
  }

  async configure(config: ContextConfig, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#check();
    options.signal?.throwIfAborted();
    if (this.#busy) throw busyError();
    if (JSON.stringify(config) === JSON.stringify(this.#context)) return;
    this.#context = config;
    this.contexts.push(config);
    this.#cache = [];
    await this.#turn();
  }

  async *complete(segments: readonly PromptSegment[], options: CompleteOptions): AsyncGenerator<EngineEvent, void> {
    this.#check();
    options.signal?.throwIfAborted();
    if (this.#busy) throw busyError();
    this.#refuse(options);
    this.#busy = true;
    let finished = false;
    try {
      this.calls.push({ segments, options });
      yield* this.#run(segments, options);
      finished = true;
    } finally {
      if (!finished) this.cancelled += 1;
      this.#busy = false;
    }
  }

  async close(): Promise<void> {
    this.#die(new InferenceError("closed", "Cannot use the fake engine: it is closed; load the model again"));
  }

  async *#run(segments: readonly PromptSegment[], options: CompleteOptions): AsyncGenerator<EngineEvent, void> {
    const prompt = this.tokensOf(segments);
    const window = this.#context.size;
    if (prompt.length >= window) {
      throw new InferenceError(
        "context-full",
        `Cannot run a prompt of ${prompt.length} tokens: the context holds ${window}`,
        { details: { needed: prompt.length, window } },
      );
    }
    const cached = Math.max(0, Math.min(commonPrefix(this.#cache, prompt), prompt.length - 1));
    const started = performance.now();
    this.#cache = prompt.slice(0, cached);
    for (let done = cached; done < prompt.length;) {
      await this.#turn(options.signal);
      done = Math.min(done + this.#batch, prompt.length);
      this.#cache = prompt.slice(0, done);
      yield { type: "prefill", done, total: prompt.length, cached };
    }
    const prefilled = performance.now();
    const text = prompt.join("");
    const said = this.#script(text, { segments, options });
    const holdBack = new StopTexts(options.stop);
    let reason: "stop" | "length" = options.maxTokens === 0 ? "length" : "stop";
    let completion = 0;
    const pieces = typeof said === "string" ? this.#cut(said) : said;
    if (options.maxTokens > 0) {
      for await (const piece of pieces) {
        await this.#turn(options.signal);
        if (this.#crashAfter-- <= 0) this.crash();
        this.#check();
        completion += 1;
        this.#cache.push(piece);
        const out = holdBack.push(piece);
        yield { type: "piece", text: out.text, tokens: 1 };
        if (out.stopped) break;
        if (completion === options.maxTokens || this.#cache.length >= window) {
          reason = "length";
          break;
        }
      }
    }
    const rest = holdBack.flush();
    if (rest !== "") yield { type: "piece", text: rest, tokens: 0 };
    yield {
      type: "end",
      reason,
      usage: { prompt: prompt.length, cached, completion },
      timings: { prefillMs: prefilled - started, decodeMs: performance.now() - prefilled },
    };
  }

  #cut(text: string): string[] {
    const tokens: string[] = [];
    let plain = "";
    for (let at = 0; at < text.length;) {
      const control = this.#control.find((token) => text.startsWith(token, at));
      if (control === undefined) plain += text[at++];
      else {
        tokens.push(...plainTokens(plain), control);
        plain = "";
        at += control.length;
      }
    }
    tokens.push(...plainTokens(plain));
    return tokens;
  }

  #refuse(options: CompleteOptions): void {
    const wanted: [boolean, keyof EngineCapabilities][] = [
      [options.logprobs !== undefined, "logprobs"],
      [options.logitBias !== undefined && options.logitBias.size > 0, "logitBias"],
      [options.format?.type === "gbnf", "grammar"],
      [options.format?.type === "json", "jsonSchema"],
    ];
    for (const [asked, capability] of wanted) {
      if (asked && !this.capabilities[capability]) {
        throw new InferenceError("unsupported", `Cannot use ${capability}: the fake engine does not have it`);
      }
    }
  }

  /** One macrotask, cut short by death or abort. */
  async #turn(signal?: AbortSignal): Promise<void> {
    const pause = new Promise<void>((resolve) => setTimeout(resolve, this.#delayMs));
    let onAbort: () => void = () => undefined;
    const aborted = new Promise<void>((resolve) => (onAbort = resolve));
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([pause, aborted, this.#untilDead]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    this.#check();
    signal?.throwIfAborted();
  }

  #check(): void {
    if (this.#dead) throw this.#dead;
  }

  #die(error: InferenceError): void {
    this.#dead ??= error;
    this.#onDead();
  }
}

function plainTokens(text: string): string[] {
  return text.match(tokenPattern) ?? [];
}

function commonPrefix(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

function busyError(): InferenceError {
  return new InferenceError("busy", "Cannot start on the fake engine: a call is running; wait until it ends");
}

/** Holds back what may be the beginning of a stop text. */
class StopTexts {
  #texts: readonly string[];
  #held = "";

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  push(piece: string): { text: string; stopped: boolean } {
    this.#held += piece;
    const hits = this.#texts.map((text) => this.#held.indexOf(text)).filter((at) => at >= 0);
    if (hits.length > 0) {
      const text = this.#held.slice(0, Math.min(...hits));
      this.#held = "";
      return { text, stopped: true };
    }
    const from = this.#safeLength();
    const text = this.#held.slice(0, from);
    this.#held = this.#held.slice(from);
    return { text, stopped: false };
  }

  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  #safeLength(): number {
    for (let at = 0; at < this.#held.length; at += 1) {
      const tail = this.#held.slice(at);
      if (this.#texts.some((text) => text.startsWith(tail))) return at;
    }
    return this.#held.length;
  }
}
