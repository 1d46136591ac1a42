import type { Part, Result, ToolCall } from "../contract.ts";
import { InferenceError } from "../errors.ts";

const finishReasons: Record<Result["finishReason"], string> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  abort: "stop",
};

/**
 * Server-sent events in the shape of OpenAI's chat-completion chunks, thoughts in `reasoning_content`.
 *
 * @param parts One run of the model; cancelling the response body leaves it.
 * @param init Merged into the response; its headers win.
 */
export function eventStreamResponse(parts: AsyncIterable<Part>, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  if (!headers.has("content-type")) headers.set("content-type", "text/event-stream; charset=utf-8");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-cache");
  const encoder = new TextEncoder();
  const iterator = parts[Symbol.asyncIterator]();
  const events = chunks({ [Symbol.asyncIterator]: () => iterator });
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`data: ${value}\n\n`));
      },
      async cancel() {
        // A generator's own return() would wait for the part that is being made.
        await iterator.return?.();
        await events.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { ...init, headers });
}

async function* chunks(parts: AsyncIterable<Part>): AsyncGenerator<string, void> {
  const id = `chatcmpl-${crypto.randomUUID()}`;
  const created = Math.floor(Date.now() / 1000);
  const chunk = (delta: object, finishReason: string | null = null, extra: object = {}): string =>
    JSON.stringify({
      id,
      object: "chat.completion.chunk",
      created,
      model: "ruminate",
      choices: [{ index: 0, delta, finish_reason: finishReason }],
      ...extra,
    });
  // Those that were run are no business of the client's: only what is left for it to answer is told.
  const calls = new Map<string, ToolCall>();
  yield chunk({ role: "assistant" });
  try {
    for await (const part of parts) {
      if (part.type === "reasoning") yield chunk({ reasoning_content: part.text });
      else if (part.type === "text") yield chunk({ content: part.text });
      else if (part.type === "tool-call") calls.set(part.call.id, part.call);
      else if (part.type === "tool-result") calls.delete(part.id);
      else if (part.type === "finish") {
        for (const [index, { id: callId, name, arguments: values }] of [...calls.values()].entries()) {
          const function_ = { name, arguments: JSON.stringify(values) };
          yield chunk({ tool_calls: [{ index, id: callId, type: "function", function: function_ }] });
        }
        const { usage, finishReason } = part.result;
        const completion = usage.text + usage.reasoning;
        yield chunk({}, finishReasons[finishReason], {
          usage: {
            prompt_tokens: usage.prompt,
            completion_tokens: completion,
            total_tokens: usage.prompt + completion,
            prompt_tokens_details: { cached_tokens: usage.cached },
            completion_tokens_details: { reasoning_tokens: usage.reasoning },
          },
        });
      }
    }
  } catch (error) {
    // The status line is long gone: an error can only be told in the stream.
    const isWrong = error instanceof TypeError || error instanceof RangeError;
    const code = InferenceError.is(error) ? error.code : isWrong ? "invalid_request" : "aborted";
    yield JSON.stringify({ error: { message: error instanceof Error ? error.message : String(error), code } });
    return;
  }
  yield "[DONE]";
}
