// What is compared: each engine evaluates a prompt and then, token by token, the same continuation.

export interface RunCase {
  /** Path of the model. */
  readonly model: string;
  readonly text: string;
  /** Whether the context is stretched by YaRN; by {@link yarnFactor}, from what the model was trained on. */
  readonly yarn: boolean;
  readonly contextTrained: number;
}

/** What came of one case. */
export interface Trace {
  /** Of the whole text; {@link promptTokens} of them are evaluated. */
  readonly tokens: readonly number[];
  /** Logits after the prompt, and after each token of the continuation. */
  readonly logits: readonly Float32Array[];
}

export interface NativeTrace extends Trace {
  /** The greedy continuation: one token for each row of logits. */
  readonly greedy: readonly number[];
  /** Of the continuation. */
  readonly text: string;
}

export const promptTokens = 200;
/** Rows of logits. */
export const steps = 12;
/** As long as all of them together, and some. */
export const contextSize = 256;
export const yarnFactor = 4;

export function bestOf(logits: Float32Array): number {
  let best = 0;
  for (const [token, logit] of logits.entries()) if (logit > (logits[best] ?? -Infinity)) best = token;
  return best;
}

/** How far the likeliest token is ahead of the next. */
export function leadOf(logits: Float32Array): number {
  const [first = 0, second = 0] = logits.toSorted().subarray(-2).toReversed();
  return first - second;
}

export interface Difference {
  readonly largest: number;
  /** The root of the mean square. */
  readonly rms: number;
}

export function difference(ours: readonly Float32Array[], theirs: readonly Float32Array[]): Difference {
  let largest = 0;
  let squares = 0;
  let count = 0;
  for (const [step, row] of theirs.entries()) {
    for (const [token, logit] of row.entries()) {
      const gap = Math.abs((ours[step]?.[token] ?? NaN) - logit);
      // NaN must not hide behind a comparison that is false for it.
      if (!(gap <= largest)) largest = gap;
      squares += gap * gap;
      count += 1;
    }
  }
  return { largest, rms: Math.sqrt(squares / count) };
}
