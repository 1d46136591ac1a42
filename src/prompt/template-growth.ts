import { limitError, maxItems, maxTextLength, type WorkBudget } from "./template-limits.ts";
import type { TemplateValue, ValueScale } from "./template-values.ts";

// Filters and methods whose result can be far larger than what goes in. Their results are predicted, since a check
// afterwards comes when the memory is already taken.

/** How often `needle` occurs in `text` without overlap, counted up to `limit`. */
function countOccurrences(text: string, needle: string, limit: number): number {
  if (needle === "") return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(needle); at !== -1 && count <= limit; at = text.indexOf(needle, at + needle.length))
    count++;
  return count;
}

function checkText(length: number): void {
  if (length > maxTextLength) throw limitError("a text of too many characters", maxTextLength);
}

function checkItems(count: number): void {
  if (count > maxItems) throw limitError("a list of too many items", maxItems);
}

/** The strings and numbers among arguments; lists and mappings that are spread into arguments are opened. */
function flatten(args: readonly TemplateValue[]): (string | number)[] {
  return args.flatMap(({ value }) => {
    if (typeof value === "string" || typeof value === "number") return [value];
    if (Array.isArray(value)) return flatten(value);
    return value instanceof Map ? flatten([...value.values()]) : [];
  });
}

/** What {@link checkGrowth} needs of one call of a filter or method. */
export interface GrowingCall {
  readonly name: string;
  readonly operand: TemplateValue;
  /** The arguments known so far, keyword arguments last. */
  readonly args: readonly TemplateValue[];
}

/**
 * Refuses a filter or method call whose result would be too large, before it runs.
 *
 * @throws {InferenceError} `template`
 */
export function checkGrowth(call: GrowingCall, scale: ValueScale, budget: WorkBudget): void {
  const content = call.operand.value;
  const text = typeof content === "string" ? content : undefined;
  const args = flatten(call.args);
  const texts = args.filter((argument) => typeof argument === "string");
  const longest = texts.reduce((length, argument) => Math.max(length, argument.length), 0);
  const largest = args.reduce<number>(
    (most, argument) => (typeof argument === "number" ? Math.max(most, argument) : most),
    0,
  );
  switch (call.name) {
    case "replace": {
      const [from, to] = texts;
      if (text === undefined || from === undefined || to === undefined) return;
      budget.spend(text.length >> 4);
      checkText(text.length + countOccurrences(text, from, maxTextLength) * Math.max(0, to.length - from.length));
      return;
    }
    case "split": {
      if (text === undefined) return;
      budget.spend(text.length >> 4);
      checkItems(texts[0] === undefined ? countWords(text) : countOccurrences(text, texts[0], maxItems));
      return;
    }
    case "join": {
      const { weight, values } = scale.measure(call.operand);
      checkText(weight + (text === undefined ? values : text.length) * longest);
      return;
    }
    case "indent": {
      if (text !== undefined) checkText(text.length + (countOccurrences(text, "\n", maxTextLength) + 1) * largest);
      return;
    }
    case "tojson": {
      const { weight, values, depth } = scale.measure(call.operand);
      checkText(weight + values * (depth * largest + longest));
      return;
    }
    case "map":
    case "sort":
    case "selectattr":
    case "rejectattr": {
      // Each item is looked up by a path of that length. The product does not fit the 32 bits of `>>`.
      if (Array.isArray(content)) budget.spend(Math.ceil((content.length * longest) / 16));
      return;
    }
    default:
  }
}

function countWords(text: string): number {
  let count = 0;
  for (const _ of text.matchAll(/\S+/g)) if (++count > maxItems) break;
  return count;
}
