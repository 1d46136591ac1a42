import type { SplitPart } from "./tag-scanner.ts";
import { TagScanner } from "./tag-scanner.ts";
import type { ReasoningTags } from "./tags.ts";
import { resolveTags } from "./tags.ts";

export type { SplitPart } from "./tag-scanner.ts";

/** Splits a model's output into thoughts and text while it arrives. */
export interface Splitter {
  /** Takes the next piece of output and returns what is certain by now; at most line breaks and half a tag are held back. */
  push(piece: string): SplitPart[];
  /** Call once, at the end of the output: returns what was held back and is text after all. */
  flush(): SplitPart[];
  /** Whether the output so far ends inside a thinking block. */
  readonly inside: boolean;
  /** Blocks closed so far, one that the prompt opened included. */
  readonly closedBlocks: number;
}

/**
 * Makes a streaming splitter. However the output is cut into pieces, the joined parts equal `splitReasoning` of the whole.
 *
 * @param options.open Whether the prompt ended in the opening tag; default false.
 * @param options.tags Default `<think>` and `</think>`.
 * @throws {TypeError} if the tags are blank or one is part of the other
 *
 * @example
 * ```ts
 * const splitter = createSplitter({ open: true });
 * splitter.push("2 + 2 is 4\n</th"); // [{ type: "reasoning", text: "2 + 2 is 4" }]
 * splitter.push("ink>\nFour."); // [{ type: "text", text: "Four." }]
 * ```
 */
export function createSplitter(options: { tags?: ReasoningTags | undefined; open?: boolean } = {}): Splitter {
  const scanner = new TagScanner(resolveTags(options.tags), { open: options.open ?? false });
  return {
    push: (piece) => scanner.push(piece).parts,
    flush: () => scanner.flush(),
    get inside() {
      return scanner.inside;
    },
    get closedBlocks() {
      return scanner.closedBlocks;
    },
  };
}
