import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  SharedV4Warning,
} from "@ai-sdk/provider";
import type { Generation, Model } from "../../index.ts";
import { toChatOptions } from "./call-options.ts";
import { toMessages } from "./prompt-messages.ts";
import type { RuminateSettings } from "./provider-options.ts";
import { contentOf, failedFinish, finishOf, ReplyParts } from "./reply-parts.ts";

/** What results, logs and telemetry call a model. */
export function modelIdOf({ info }: Model, { modelId }: RuminateSettings): string {
  return modelId ?? info.name ?? info.architecture;
}

/** Every call is one `Model.chat()`. */
export class RuminateLanguageModel implements LanguageModelV4 {
  readonly specificationVersion = "v4" as const;
  readonly provider = "ruminate";
  readonly modelId: string;
  /** None: the model reads text alone. */
  readonly supportedUrls: Record<string, RegExp[]> = {};
  readonly #model: Model;
  readonly #settings: RuminateSettings;

  constructor(model: Model, settings: RuminateSettings) {
    this.#model = model;
    this.#settings = settings;
    this.modelId = modelIdOf(model, settings);
  }

  async doGenerate(call: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { generation, warnings } = this.#start(call);
    const response = this.#response();
    const parts: LanguageModelV4StreamPart[] = [];
    const reply = new ReplyParts();
    for await (const part of generation) parts.push(...reply.take(part));
    return { content: contentOf(parts), ...finishOf(await generation.result()), response, warnings };
  }

  async doStream(call: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    const { generation, warnings } = this.#start(call);
    const first: LanguageModelV4StreamPart[] = [
      { type: "stream-start", warnings },
      { type: "response-metadata", ...this.#response() },
    ];
    return { stream: streamOf(generation, first, call) };
  }

  #start(call: LanguageModelV4CallOptions): { generation: Generation; warnings: SharedV4Warning[] } {
    const { messages, warnings } = toMessages(call.prompt);
    const { options, warnings: optionWarnings } = toChatOptions(call, this.#settings, this.#model.info);
    return { generation: this.#model.chat(messages, options), warnings: [...warnings, ...optionWarnings] };
  }

  #response(): { id: string; timestamp: Date; modelId: string } {
    return { id: crypto.randomUUID(), timestamp: new Date(), modelId: this.modelId };
  }
}

/** A run as a stream; nothing runs before somebody reads, and cancelling it leaves the run. */
function streamOf(
  generation: Generation,
  first: readonly LanguageModelV4StreamPart[],
  { includeRawChunks = false, abortSignal }: LanguageModelV4CallOptions,
): ReadableStream<LanguageModelV4StreamPart> {
  const parts = generation[Symbol.asyncIterator]();
  const reply = new ReplyParts();
  let isLeft = false;
  return new ReadableStream<LanguageModelV4StreamPart>(
    {
      start(controller) {
        for (const part of first) controller.enqueue(part);
      },
      async pull(controller) {
        try {
          for (let enqueued = 0; enqueued === 0;) {
            const { done, value } = await parts.next();
            if (isLeft) return;
            if (done) return controller.close();
            const raw: LanguageModelV4StreamPart[] = includeRawChunks ? [{ type: "raw", rawValue: value }] : [];
            for (const part of [...raw, ...reply.take(value)]) {
              controller.enqueue(part);
              enqueued++;
            }
          }
        } catch (error) {
          // The AI SDK tells an abort from a failure by the stream's own error.
          if (abortSignal?.aborted) return controller.error(error);
          controller.enqueue({ type: "error", error });
          controller.enqueue({ type: "finish", ...failedFinish });
          controller.close();
        }
      },
      async cancel() {
        isLeft = true;
        await parts.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
