import type { RopeScaling } from "../contract.ts";

/** Every form in which a user may ask for a longer context. */
export type ExtendOption =
  | "off"
  | "auto"
  | { type: "yarn"; factor?: number | "auto"; originalContext?: number; above?: number }
  | RopeScaling;

/** The one form that the rest works with; what is absent follows `planContext`'s rule. Counts are tokens. */
export interface Extension {
  /** False: never extend. */
  readonly enabled: boolean;
  /** Absent: the smallest sufficient one. */
  readonly factor?: number;
  /** Absent: the model's trained context. */
  readonly originalContext?: number;
  /** Inputs longer than this get YaRN. */
  readonly above?: number;
}

/**
 * Reads an `extend` option. A model card's snippet means the card's literal rule: its factor, for inputs longer than a
 * quarter of the original context (8,192 of 32,768).
 *
 * @param extend Default "auto".
 * @throws {TypeError} if it is none of the known forms
 * @throws {RangeError} if a number is not one of its kind
 *
 * @example
 * ```ts
 * readExtension({ type: "yarn", factor: 4, original_max_position_embeddings: 32768 });
 * // { enabled: true, factor: 4, originalContext: 32768, above: 8192 }
 * ```
 */
export function readExtension(extend: ExtendOption = "auto"): Extension {
  if (extend === "off" || extend === "auto") return { enabled: extend === "auto" };
  if (typeof extend !== "object" || extend === null || extend.type !== "yarn") {
    throw new TypeError(
      `Cannot read context.extend: it is ${JSON.stringify(extend)}; it must be "off", "auto" or an object of type "yarn"`,
    );
  }
  const { factor, originalContext, above } =
    "original_max_position_embeddings" in extend
      ? fromSnippet(extend)
      : { above: undefined, originalContext: undefined, ...extend };
  if (factor !== undefined && factor !== "auto" && !(factor >= 1 && factor <= 4)) {
    throw new RangeError(`Cannot read context.extend: factor is ${factor}; it must be "auto" or a number from 1 to 4`);
  }
  if (originalContext !== undefined && !(Number.isSafeInteger(originalContext) && originalContext >= 1)) {
    throw new RangeError(
      `Cannot read context.extend: the original context is ${originalContext}; it must be a whole number, at least 1`,
    );
  }
  if (above !== undefined && !(above >= 0)) {
    throw new RangeError(`Cannot read context.extend: above is ${above}; it must be a number of tokens, 0 or more`);
  }
  return {
    enabled: factor !== 1,
    ...(factor === undefined || factor === "auto" ? {} : { factor }),
    ...(originalContext === undefined ? {} : { originalContext }),
    ...(above === undefined ? {} : { above }),
  };
}

function fromSnippet(snippet: RopeScaling): { factor: number; originalContext: number; above: number } {
  const { factor, original_max_position_embeddings: originalContext } = snippet;
  if (typeof factor !== "number") {
    throw new TypeError(`Cannot read rope_scaling: factor is ${JSON.stringify(factor)}; it must be a number`);
  }
  return { factor, originalContext, above: originalContext / 4 };
}
