import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { InferenceError, type Message, type ToolCall } from "../../index.ts";

type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];

/**
 * The AI SDK's prompt as messages.
 *
 * @throws {InferenceError} `unsupported` if it holds a file that is not text
 */
export function toMessages(prompt: LanguageModelV4Prompt): { messages: Message[]; warnings: SharedV4Warning[] } {
  const warnings: SharedV4Warning[] = [];
  const messages = prompt.flatMap((message): Message[] => {
    switch (message.role) {
      case "system":
        return [{ role: "system", content: message.content }];
      case "user":
        return [
          {
            role: "user",
            content: message.content.map((part) => (part.type === "text" ? part.text : fileText(part))).join("\n"),
          },
        ];
      case "assistant":
        return assistantMessages(message.content, warnings);
      default:
        // The AI SDK itself acts on approvals; what a denied call comes to is a result.
        return message.content.flatMap((part) => (part.type === "tool-result" ? [toolMessage(part)] : []));
    }
  });
  return { messages, warnings };
}

function assistantMessages(parts: readonly AssistantPart[], warnings: SharedV4Warning[]): Message[] {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: ToolCall[] = [];
  const results: Message[] = [];
  for (const part of parts) {
    switch (part.type) {
      case "text":
        texts.push(part.text);
        break;
      case "reasoning":
        thoughts.push(part.text);
        break;
      case "tool-call":
        calls.push({ id: part.toolCallId, name: part.toolName, arguments: part.input });
        break;
      case "tool-result":
        results.push(toolMessage(part));
        break;
      case "file":
        texts.push(fileText(part));
        break;
      case "reasoning-file":
        throw noFiles(part.mediaType);
      case "custom":
        warnings.push({ type: "other", message: `A part of kind ${part.kind} was left out of the history.` });
    }
  }
  const reasoning = thoughts.filter((text) => text !== "").join("\n");
  return [
    {
      role: "assistant",
      content: texts.join(""),
      ...(reasoning === "" ? {} : { reasoning }),
      ...(calls.length === 0 ? {} : { toolCalls: calls }),
    },
    ...results,
  ];
}

function toolMessage({ toolCallId, output }: LanguageModelV4ToolResultPart): Message {
  return { role: "tool", toolCallId, content: outputText(output) };
}

function outputText(output: LanguageModelV4ToolResultPart["output"]): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return JSON.stringify(output.value);
    case "execution-denied":
      return output.reason === undefined ? "The call was denied." : `The call was denied: ${output.reason}`;
    default:
      return output.value
        .map((part) => {
          if (part.type === "text") return part.text;
          if (part.type === "file") return fileText({ ...part, type: "file" });
          throw new InferenceError(
            "unsupported",
            "Cannot read a tool's result: it has a custom part; give it as text or JSON",
          );
        })
        .join("\n");
  }
}

function fileText({ data, mediaType }: LanguageModelV4FilePart): string {
  if (data.type === "text") return data.text;
  throw noFiles(mediaType);
}

function noFiles(mediaType: string): InferenceError {
  return new InferenceError(
    "unsupported",
    `Cannot read a file of type ${mediaType}: the model reads text alone; give its content as a text part`,
    { details: { mediaType } },
  );
}
