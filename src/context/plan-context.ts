import { InferenceError } from "../errors.ts";

/** YaRN as an engine needs it. */
export interface YarnPlan {
  /** The one way of scaling that is known. */
  readonly type: "yarn";
  /** Times the trained context, above 1 and at most 4. */
  readonly factor: number;
  /** Tokens that the model was trained for. */
  readonly originalContext: number;
}

/** What a request needs; all counts are tokens. */
export interface ContextRequest {
  /** Length of the prompt. */
  inputTokens: number;
  /** New tokens asked for by number. */
  maxTokens?: number;
  /** New tokens that the model's maker recommends to leave room for; used when none were asked for. */
  recommended?: number;
  /** The model's trained context. */
  trained: number;
  /** "auto" (default): the smallest sufficient one; 1: never extend; a number in 1..4 is used whenever YaRN is. */
  factor?: number | "auto";
  /** Inputs longer than this get YaRN, instead of the rule's own thresholds. */
  above?: number;
  /** The most that the context may hold, for instance because of memory; default: no limit. */
  limit?: number;
}

/** Factors beyond this were never shown to work. */
const largestFactor = 4;
// llama.cpp pads a context to this many tokens anyway.
const sizeStep = 256;

/**
 * How large a context a request needs, and whether YaRN.
 *
 * With `maxTokens`, YaRN if input + maxTokens exceeds the trained context. Without, and with `recommended`: if the input
 * exceeds a quarter of it and input + recommended exceeds it. With neither: if the input exceeds three quarters of it;
 * at least a quarter is then kept for the reply. `above` replaces these thresholds and an explicit `factor` the smallest
 * sufficient one (both together are a model card's literal rule), but "auto" never extends what fits, and what fits only
 * with YaRN always gets it. A reply that was not asked for by number is capped to what is left.
 *
 * @returns What the context has to be like.
 * @throws {RangeError} if a number is not one of its kind
 * @throws {InferenceError} `context-full` with `{ needed, window }` if the input alone, or input and an explicit
 * `maxTokens`, exceeds the largest window
 *
 * @example
 * ```ts
 * planContext({ inputTokens: 40_000, recommended: 30_000, trained: 32_768 });
 * // { size: 70144, maxTokens: 30000, rope: { type: "yarn", factor: 2.5, originalContext: 32768 } }
 * ```
 */
export function planContext(request: ContextRequest): {
  /** Tokens that the context must hold; a multiple of 256 unless a bound is lower. */
  size: number;
  /** Tokens of room for the reply. */
  maxTokens: number;
  /** Only with YaRN; its factor is in steps of a half and at most 4 unless given. */
  rope?: YarnPlan;
} {
  check(request);
  const { inputTokens, maxTokens, recommended, trained, factor = "auto", limit = Infinity } = request;
  const largest = factor === "auto" ? largestFactor : factor;
  const roof = Math.min(Math.floor(trained * largest), limit);
  const needed = inputTokens + (maxTokens ?? 0);
  if (needed > roof) throw contextFull(needed, roof);

  const reply = maxTokens ?? recommended ?? Math.max(Math.ceil(trained / 4), trained - inputTokens);
  const extended = Math.min(inputTokens + reply, roof);
  const tooLong = inputTokens + (maxTokens ?? 1) > trained;
  // Only a threshold and a factor that were both given extend what fits as it is.
  const literal = request.above !== undefined && factor !== "auto";
  const wanted = wantsYarn(request);
  if (largest > 1 && (((tooLong || wanted) && extended > trained) || (wanted && literal))) {
    const chosen = factor === "auto" ? Math.ceil((extended * 2) / trained) / 2 : factor;
    return {
      size: Math.min(roundUp(extended), Math.floor(trained * chosen), limit),
      maxTokens: extended - inputTokens,
      rope: { type: "yarn", factor: chosen, originalContext: trained },
    };
  }
  const window = Math.min(trained, limit);
  const used = Math.min(inputTokens + (maxTokens ?? recommended ?? window), window);
  return { size: Math.min(roundUp(used), window), maxTokens: used - inputTokens };
}

function wantsYarn({ inputTokens, maxTokens, recommended, trained, above }: ContextRequest): boolean {
  if (above !== undefined) return inputTokens > above;
  if (maxTokens !== undefined) return inputTokens + maxTokens > trained;
  if (recommended !== undefined) return inputTokens > trained / 4 && inputTokens + recommended > trained;
  return inputTokens > (trained * 3) / 4;
}

function roundUp(tokens: number): number {
  return Math.max(Math.ceil(tokens / sizeStep), 1) * sizeStep;
}

function contextFull(needed: number, window: number): InferenceError {
  return new InferenceError(
    "context-full",
    `Cannot plan a context for the request: it needs ${needed} tokens and at most ${window} are possible; ` +
      "send less or ask for fewer new tokens",
    { details: { needed, window } },
  );
}

function check(request: ContextRequest): void {
  const { inputTokens, maxTokens, recommended, trained, factor, above, limit } = request;
  checkTokens("inputTokens", inputTokens, 0);
  checkTokens("trained", trained, 1);
  if (maxTokens !== undefined) checkTokens("maxTokens", maxTokens, 0);
  if (recommended !== undefined) checkTokens("recommended", recommended, 0);
  if (limit !== undefined && limit !== Infinity) checkTokens("limit", limit, 1);
  if (above !== undefined && !(above >= 0)) {
    throw new RangeError(`Cannot plan a context: above is ${above}; it must be a number of tokens, 0 or more`);
  }
  if (factor !== undefined && factor !== "auto" && !(factor >= 1 && factor <= largestFactor)) {
    throw new RangeError(`Cannot plan a context: factor is ${factor}; it must be "auto" or a number from 1 to 4`);
  }
}

function checkTokens(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`Cannot plan a context: ${name} is ${value}; it must be a whole number, at least ${least}`);
  }
}
