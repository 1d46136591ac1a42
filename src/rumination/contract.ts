// The public types of long thinking with tools.
import type { Message, Part, Result, ToolCall } from "../contract.ts";
import type { GenerateOptions, SessionOptions, Tool } from "../api/contract.ts";

/** One result of a search. */
export interface SearchHit {
  /** What the model sees of it first; one line. */
  title: string;
  /** What `open` is given when the model clicks it. */
  url: string;
  /** What the model reads before it clicks; default: nothing. */
  snippet?: string;
}

/** A page, as text or with its title. */
export type Page = string | TitledPage;

/** A page that has a title. */
export interface TitledPage {
  /** What the model reads. */
  text: string;
  /** Kept with the source; default: that of the search hit. */
  title?: string;
}

/** What the model may look into. */
export interface Library {
  /** Finds pages, best first; the model sees them numbered from 0. */
  search(query: string, options: { signal: AbortSignal }): readonly SearchHit[] | Promise<readonly SearchHit[]>;
  /** Reads a page. What it throws is told to the model. */
  open(url: string, options: { signal: AbortSignal }): Page | Promise<Page>;
}

/** What may be spent before the report has to be written. */
export interface RuminationBudget {
  /** Turns that look something up, 1 to 1,000; default 35, as in the example of GLM-Z1-Rumination's card. */
  steps?: number;
  /** Tokens of thoughts and calls, of all steps together; default: no bound. */
  tokens?: number;
}

/** How long to think, and with what. Bounds of {@link GenerateOptions} such as `maxTokens` are for each step. */
export interface RuminateOptions
  extends Omit<GenerateOptions, "tools" | "toolChoice" | "maxSteps" | "format">, Pick<SessionOptions, "keepReasoning"> {
  /** Served as `search`, `click`, `open` and, for GLM-Z1-Rumination, `finish`. This or `tools`. */
  library?: Library;
  /**
   * Your own tools, each with `execute`. One that gives `{ text, url, title }`, of which one of the last two may be left out,
   * gives a page: the model is told the text. Not for GLM-Z1-Rumination, whose template has four tools of its own.
   */
  tools?: readonly Tool[];
  /** What may be spent before the report has to be written. */
  budget?: RuminationBudget;
  /** Characters of a page that the model is shown, from its start; default 12,000. */
  pageLength?: number;
  /**
   * Said as the user when a budget is spent, to models that have no `finish`; default: that no tool can be used any more, and
   * to answer from what was found.
   */
  conclusion?: string;
}

/** Something that the report may rest on: a page that was read, or a call of one of your tools that did not fail. */
export interface Source {
  /** The first step that looked at it, from 1. */
  step: number;
  /** The tool's name. */
  tool: string;
  /** As the model wrote them. */
  arguments: unknown;
  /** Of the page. */
  url?: string;
  /** Of the page, else of its search hit. */
  title?: string;
}

/** One turn of the model, and what came of its calls. */
export interface RuminationStep {
  /** What it thought. */
  reasoning: string;
  /** What it said beside its calls: mostly nothing. */
  text: string;
  /** In their order. */
  calls: readonly RuminationCall[];
}

/** A call and what came of it. */
export interface RuminationCall {
  /** As the model wrote it. */
  call: ToolCall;
  /** What the tool gave, or `{ error }`; undefined for `finish`. */
  result: unknown;
}

/** What long thinking came to. */
export interface RuminationResult {
  /** The answer; empty if the model went on calling tools instead. */
  report: string;
  /** All that was read, in the order of reading, each once. */
  sources: readonly Source[];
  /** Every turn but that of the report. */
  steps: readonly RuminationStep[];
  /** Thoughts before the report. */
  reasoning: string;
  /**
   * Why it stopped looking: "model": it was done; "steps", "tokens": that budget was spent, or a step was cut off; "user":
   * `conclude()`; "abort": the iteration was left early, and the report is what there was of it.
   */
  ended: "model" | "steps" | "tokens" | "user" | "abort";
  /** How the report ended, as in {@link Result}. */
  finishReason: Result["finishReason"];
  /** What was asked, all calls and results, and the report: the history of a conversation that goes on. */
  messages: readonly Message[];
  /** Of all steps and the report. */
  usage: Result["usage"];
}

/**
 * What long thinking streams: a `step` before each turn of the model, its parts, and last the `finish`. The same step comes
 * again where the turn begins again, since the context was full. A model without `finish` ends by a step with text and no call.
 */
export type RuminationPart = RuminationStart | Exclude<Part, Pick<RuminationFinish, "type">> | RuminationFinish;

/** A turn of the model begins. */
export interface RuminationStart {
  /** Tells it from other parts. */
  type: "step";
  /** Which turn, from 1. */
  step: number;
  /** Whether no call will be answered any more, so that the text is the report. */
  final: boolean;
}

/** The last part. */
export interface RuminationFinish {
  /** Tells it from other parts. */
  type: "finish";
  /** What it all came to. */
  result: RuminationResult;
}

/** One run of long thinking. It starts when first consumed, as a `Generation` does; leaving early stops it. */
export interface Rumination extends AsyncIterable<RuminationPart>, AsyncDisposable {
  /**
   * The whole run; starts it if nobody iterates.
   *
   * @throws {InferenceError} as `model.chat()`
   * @throws `signal.reason` if aborted; an `AbortError` if it was left before it started
   */
  result(): Promise<RuminationResult>;
  /** The parts as a web stream; cancelling it leaves the run. Reading this property takes the one iteration. */
  readonly stream: ReadableStream<RuminationPart>;
  /** Ends the thought at hand and every later one, waits for no tool, and has the report written from what was found. */
  conclude(): void;
}
