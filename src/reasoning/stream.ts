import type { Part } from "../contract.ts";
import { createSplitter } from "./splitter.ts";
import type { ReasoningTags } from "./tags.ts";

/**
 * A transform stream from a model's output, in pieces of any size, to parts of reasoning and text.
 *
 * @example
 * ```ts
 * const parts = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new ReasoningStream());
 * for await (const { type, text } of parts) if (type === "text") console.log(text);
 * ```
 */
export class ReasoningStream extends TransformStream<
  string,
  Extract<
    Part,
    {
      /** Which of the parts a splitter can tell. */
      type: "text" | "reasoning";
    }
  >
> {
  /**
   * Makes one for one output.
   *
   * @param tags Default `<think>` and `</think>`.
   * @param options.open Whether the prompt opened a block; default false. A stream cannot look ahead to find out.
   * @throws {TypeError} if the tags are blank or one is part of the other
   */
  constructor(tags?: ReasoningTags, options: { open?: boolean } = {}) {
    const splitter = createSplitter({ tags, ...options });
    super({
      transform(piece, controller) {
        for (const part of splitter.push(piece)) controller.enqueue(part);
      },
      flush(controller) {
        for (const part of splitter.flush()) controller.enqueue(part);
      },
    });
  }
}
