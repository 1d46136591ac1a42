/** The texts that open and close a thinking block. */
export interface ReasoningTags {
  /** Before the thoughts. White space at its ends does not count. */
  readonly open: string;
  /** After the thoughts. White space at its ends does not count; neither tag may be part of the other. */
  readonly close: string;
}

/** What GLM-Z1 and most other reasoning models write. */
export const defaultTags: ReasoningTags = { open: "<think>", close: "</think>" };

/**
 * Checks a pair of tags and takes the white space off their ends, since models and templates vary it.
 *
 * @throws {TypeError} if a tag is not a string, is blank, or is part of the other one
 */
export function resolveTags(tags: ReasoningTags = defaultTags): ReasoningTags {
  const { open, close } = tags;
  if (typeof open !== "string" || typeof close !== "string") {
    throw new TypeError(`Cannot use the tags ${JSON.stringify(tags)}: open and close must be strings`);
  }
  const trimmed = { open: open.trim(), close: close.trim() };
  if (!trimmed.open || !trimmed.close || trimmed.open.includes(trimmed.close) || trimmed.close.includes(trimmed.open)) {
    throw new TypeError(
      `Cannot use the tags ${JSON.stringify(open)} and ${JSON.stringify(close)}: ` +
        "both must hold visible characters, and neither may be part of the other",
    );
  }
  return trimmed;
}
