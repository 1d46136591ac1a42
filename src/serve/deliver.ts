import type { Generation, Part, Result } from "../index.ts";
import { asRefusal, errorBody } from "./errors.ts";
import type { Form, ShownPart } from "./form.ts";

/** A run, and how it is told of. */
export interface Delivered {
  readonly generation: Generation;
  readonly form: Form;
  /** Called once, when the run has ended, however it did. */
  readonly onend: () => void;
  /** Told of what goes wrong once the answer has begun. */
  readonly onerror: (error: unknown) => void;
}

/** Bytes of an answer that are kept for a slow reader, so that it does not make all others wait: longer than most. */
const readAhead = 16 * 2 ** 20;

/**
 * The answer in one object, when the run has ended.
 *
 * @throws what the run throws
 */
export async function deliverWhole({ generation, form, onend }: Delivered): Promise<Response> {
  try {
    let result: Result | undefined;
    for await (const part of withoutSeparators(generation)) {
      if (part.type === "finish") ({ result } = part);
      else if (isShown(part)) form.take(part);
    }
    return Response.json(form.whole(result ?? (await generation.result())));
  } finally {
    onend();
  }
}

/**
 * The answer as server-sent events, from the first part on: what goes wrong before it still has a status of its own.
 * Comments tell of the prompt, so that a long one leaves no connection idle. Cancelling the body leaves the run.
 *
 * @throws what the run throws before its first part
 */
export async function deliverStream({ generation, form, onend, onerror }: Delivered): Promise<Response> {
  const parts = generation[Symbol.asyncIterator]();
  let first: IteratorResult<Part> | undefined;
  try {
    first = await parts.next();
  } catch (error) {
    onend();
    throw error;
  }
  const whole: AsyncIterable<Part> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const next = first ? Promise.resolve(first) : parts.next();
        first = undefined;
        return next;
      },
    }),
  };
  const events = writeEvents(withoutSeparators(whole), { form, onerror });
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await events.next();
        if (!done) {
          controller.enqueue(encoder.encode(value));
          return;
        }
        onend();
        controller.close();
      },
      async cancel() {
        // A generator's own return() would wait for the part that is being made.
        await parts.return?.();
        onend();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: readAhead }),
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      // nginx would hold the events back until the answer is complete.
      "x-accel-buffering": "no",
    },
  });
}

async function* writeEvents(
  parts: AsyncIterable<Part>,
  { form, onerror }: Pick<Delivered, "form" | "onerror">,
): AsyncGenerator<string, void> {
  const write = (chunks: readonly object[]): string =>
    chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
  try {
    const begin = write(form.begin());
    if (begin !== "") yield begin;
    for await (const part of parts) {
      if (part.type === "prefill") yield `: prompt ${part.done}/${part.total}\n\n`;
      else if (part.type === "finish") yield `${write(form.end(part.result))}data: [DONE]\n\n`;
      else if (isShown(part)) {
        const chunks = write(form.take(part));
        if (chunks !== "") yield chunks;
      }
    }
  } catch (error) {
    // The status line is long gone: an error can only be told in the stream.
    onerror(error);
    yield write([errorBody(asRefusal(error))]);
  }
}

function isShown(part: Part): part is ShownPart {
  return part.type === "text" || part.type === "reasoning" || part.type === "tool-call";
}

/** Leaves out the line break between thoughts and text, which is in no result: here they come in fields of their own. */
async function* withoutSeparators(parts: AsyncIterable<Part>): AsyncGenerator<Part, void> {
  let held: Part | undefined;
  for await (const part of parts) {
    if (held && part.type !== "text") yield held;
    held = undefined;
    if (part.type === "reasoning" && part.text === "\n" && !part.logprobs) held = part;
    else yield part;
  }
  if (held) yield held;
}
