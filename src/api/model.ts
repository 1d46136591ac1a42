import type { Message, SamplingOptions } from "../contract.ts";
import { InferenceError } from "../errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { GgufFacts } from "../gguf/facts.ts";
import type { ModelHeader } from "../gguf/model-header.ts";
import type { PromptRenderer } from "../prompt/renderer.ts";
import { segmentsToText } from "../prompt/renderer.ts";
import type { PromptSegment } from "../prompt/segment.ts";
import { chatPrompt } from "./chat-prompt.ts";
import { EngineContext } from "./context-window.ts";
import type { ContextOptions, GenerateOptions, Generation, Model, Session, SessionOptions } from "./contract.ts";
import { ModelGeneration } from "./generation.ts";
import type { MemoryFit } from "./memory-fit.ts";
import { checkContextOptions, checkGenerateOptions, requireCapability } from "./options.ts";
import { ownMessages, ownOptions } from "./own-copies.ts";
import { Runner } from "./runner.ts";
import { ModelSession } from "./session.ts";

/** What a loaded model is made from. */
export interface LoadedParts {
  readonly engine: Engine;
  readonly header: ModelHeader;
  readonly facts: GgufFacts;
  readonly renderer: PromptRenderer;
  readonly recommended: SamplingOptions;
  readonly context: ContextOptions;
  readonly fit: MemoryFit;
  readonly loadMs: number;
  /** Lets the model's files go. */
  readonly closeFiles: () => Promise<void>;
}

/** A model with its engine. */
export class LoadedModel implements Model {
  readonly info: Model["info"];
  readonly #parts: LoadedParts;
  readonly #runner: Runner;
  #closing: Promise<void> | undefined;

  constructor(parts: LoadedParts) {
    const { engine, header, facts } = parts;
    this.#parts = parts;
    this.#runner = new Runner({
      engine,
      engineContext: new EngineContext(engine, parts.fit.initial),
      renderer: parts.renderer,
      recommended: parts.recommended,
      trained: facts.contextTrained,
      memorySize: parts.fit.largest,
      context: parts.context,
      loadMs: parts.loadMs,
    });
    this.info = {
      architecture: header.architecture,
      ...(facts.name === undefined ? {} : { name: facts.name }),
      contextTrained: facts.contextTrained,
      vocabularySize: facts.vocabularySize,
      sizeBytes: header.sizeBytes,
      engine: engine.info.engine,
      threads: engine.info.threads,
      simd: engine.info.simd,
      memory: engine.info.memory,
      why: engine.info.why,
      metadata: header.metadata,
    };
  }

  generate(prompt: string | Uint32Array, options: GenerateOptions = {}): Generation {
    this.#checkOpen("generate");
    const own = ownOptions(options);
    return new ModelGeneration((control) => this.#runner.complete(asSegments(prompt), own, control));
  }

  chat(messages: readonly Message[], options: Parameters<Model["chat"]>[1] = {}): Generation {
    this.#checkOpen("chat");
    const request = { messages: ownMessages(messages), options: ownOptions(options) };
    return new ModelGeneration((control) => this.#runner.chat(request, control));
  }

  async session(options: SessionOptions = {}): Promise<Session> {
    this.#checkOpen("start a session");
    const own = ownOptions(options);
    checkContextOptions(own.context);
    const { system, history = [] } = own;
    const first = system === undefined ? [] : ownMessages([{ role: "system", content: system }]);
    return new ModelSession(this.#runner, own, [...first, ...ownMessages(history)]);
  }

  async tokenize(text: string, { special = false }: { special?: boolean } = {}): Promise<Uint32Array> {
    this.#checkOpen("tokenize");
    if (typeof text !== "string") throw new TypeError("The text must be a string");
    requireCapability(this.#parts.engine, "tokenize", "tokenize");
    return this.#runner.ask(async (engine) => (await engine.tokenize?.(text, { special })) ?? new Uint32Array());
  }

  async detokenize(tokens: Uint32Array): Promise<string> {
    this.#checkOpen("detokenize");
    if (!(tokens instanceof Uint32Array)) throw new TypeError("The tokens must be a Uint32Array");
    const unknown = tokens.find((token) => token >= this.info.vocabularySize);
    if (unknown !== undefined) {
      throw new RangeError(`Token ${unknown} does not exist; the vocabulary has ${this.info.vocabularySize}`);
    }
    requireCapability(this.#parts.engine, "tokenize", "detokenize");
    return this.#runner.ask(async (engine) => (await engine.detokenize?.(tokens)) ?? "");
  }

  async count(input: string | readonly Message[]): Promise<number> {
    this.#checkOpen("count");
    if (typeof input !== "string") return this.#runner.conversations.count({ messages: input, options: {} });
    return input === "" ? 0 : this.#runner.conversations.countPrompt([{ kind: "content", text: input }]);
  }

  async render(messages: readonly Message[], options: Parameters<Model["render"]>[1] = {}): Promise<string> {
    this.#checkOpen("render");
    checkGenerateOptions(options);
    return segmentsToText(chatPrompt(this.#parts.renderer, messages, options).prompt);
  }

  async embed(input: string | readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array[]> {
    this.#checkOpen("embed");
    const texts = checkTexts("The input", typeof input === "string" ? [input] : input);
    requireCapability(this.#parts.engine, "embed", "embed");
    const options = signal ? { signal } : {};
    return this.#runner.ask(async (engine) => (await engine.embed?.(texts, options)) ?? [], signal);
  }

  async rank(
    query: string,
    documents: readonly string[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Float64Array> {
    this.#checkOpen("rank");
    checkTexts("The query", [query]);
    const texts = checkTexts("Each document", documents);
    requireCapability(this.#parts.engine, "rank", "rank");
    const options = signal ? { signal } : {};
    return this.#runner.ask(
      async (engine) => (await engine.rank?.(query, texts, options)) ?? new Float64Array(),
      signal,
    );
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#runner.close(closed("run"));
      this.#closing = this.#parts.engine.close().finally(() => this.#parts.closeFiles());
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(action: string): void {
    if (this.#closing) throw closed(action);
  }
}

/** A copy of the texts. @throws {TypeError | RangeError} */
function checkTexts(what: string, texts: readonly string[]): readonly string[] {
  if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string")) {
    throw new TypeError(`${what} must be a string`);
  }
  if (texts.length === 0 || texts.includes(""))
    throw new RangeError(`${what} is empty; at least one character is wanted`);
  return [...texts];
}

function closed(action: string): InferenceError {
  return new InferenceError("closed", `Cannot ${action}: this model is closed; load it again`);
}

function asSegments(prompt: string | Uint32Array): PromptSegment[] {
  if (typeof prompt !== "string" && !(prompt instanceof Uint32Array)) {
    throw new TypeError(`The prompt must be a string or a Uint32Array of token ids, not ${typeof prompt}`);
  }
  if (prompt.length === 0) throw new RangeError("The prompt is empty; at least one character or token is wanted");
  if (typeof prompt !== "string") return [{ kind: "tokens", ids: prompt }];
  return [{ kind: "control", text: prompt }];
}
