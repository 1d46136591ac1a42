// What a caller hands over is copied at the door: a run may wait for its turn, and what happens to their objects
// meanwhile (a chat page pushes the placeholder of the reply) is not part of what they asked.
import type { Message, ToolCall } from "../contract.ts";
import { checkMessages } from "../prompt/messages.ts";
import type { GenerateOptions } from "./contract.ts";
import { checkGenerateOptions } from "./options.ts";

/**
 * A checked copy of messages: their own fields and nothing else, so that whatever else they carry does no harm.
 *
 * @throws {TypeError} naming the message by its index, and what is wrong with it
 */
export function ownMessages(messages: readonly Message[]): Message[] {
  checkMessages(messages);
  return messages.map((message): Message => {
    const { role, content } = message;
    if (role === "tool") return { role, content, toolCallId: message.toolCallId };
    if (role !== "assistant") return { role, content };
    const { reasoning, toolCalls } = message;
    return {
      role,
      content,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(toolCalls ? { toolCalls: toolCalls.map(ownCall) } : {}),
    };
  });
}

function ownCall({ id, name, arguments: given }: ToolCall): ToolCall {
  return { id, name, arguments: asJson(given, "The arguments of a tool call") };
}

/**
 * A checked copy of options.
 *
 * @throws {TypeError} if a value has the wrong type
 * @throws {RangeError} if a number is outside its range
 */
export function ownOptions<Options extends GenerateOptions>(options: Options): Options {
  checkGenerateOptions(options);
  const { format, reasoning, stop, logitBias, tools } = options;
  return {
    ...options,
    ...(typeof reasoning === "object" ? { reasoning: { ...reasoning } } : {}),
    ...(Array.isArray(stop) ? { stop: [...stop] } : {}),
    ...(logitBias ? { logitBias: new Map(logitBias) } : {}),
    ...(tools ? { tools: [...tools] } : {}),
    ...(format?.type === "json" && format.schema
      ? { format: { type: "json", schema: asJson(format.schema, "format.schema") } }
      : {}),
  };
}

function asJson(value: unknown, what: string): unknown {
  if (value === undefined) return undefined;
  try {
    // A round trip, since it may be a proxy or have methods, which no message to a worker can carry.
    return JSON.parse(JSON.stringify(value));
  } catch (cause) {
    throw new TypeError(`${what} can't be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
