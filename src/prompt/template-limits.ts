import { InferenceError } from "../errors.ts";

// Templates come from strangers. The bounds are for the largest real use (a million-token conversation and the longest
// published templates, about 30,000 characters) with room to spare, and are counted, not timed, so that the same
// template gives the same answer on every machine.

/** Characters of template source. */
export const maxTemplateLength: number = 2 ** 17;
/** Consecutive whitespace characters in template source: the lexer's time grows with the square of a run. */
export const maxWhitespaceRun = 200;
/** Syntax nodes of a template. */
export const maxTemplateNodes = 50_000;
/** Nesting of syntax nodes, and of evaluation (macros calling themselves). */
export const maxDepth = 400;
/** Nesting of values, such as a tool's JSON schema. */
export const maxValueDepth = 100;
/** Work for one rendering. A unit is about one syntax node evaluated, 16 characters or 8 list items handled. */
export const maxWork = 3_000_000;
/** Characters of any text a template makes, its output included. */
export const maxTextLength: number = 2 ** 22;
/** Items of any list or mapping a template makes. */
export const maxItems = 100_000;
/** Characters in all texts inside one list or mapping, counted as often as they would be printed. */
export const maxWeight: number = 2 ** 24;

/** The error for a template that goes past one of the bounds above. */
export function limitError(what: string, limit: number): InferenceError {
  return new InferenceError(
    "template",
    `Cannot render the model's chat template: it makes ${what}, and at most ${limit} are allowed; pass another template`,
    { details: { limit } },
  );
}

/** Counts the work of one rendering. */
export class WorkBudget {
  #left: number = maxWork;

  /** @throws {InferenceError} `template` when `maxWork` is spent */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw limitError("too many steps", maxWork);
  }
}
