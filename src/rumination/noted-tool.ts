import type { Tool } from "../api/contract.ts";
import type { Source } from "./contract.ts";

/** A tool of the caller's whose results are noted as sources. Of a page the model is told the text. */
export function notedTool(tool: Tool, onSource: (source: Omit<Source, "step">) => void): Tool {
  return {
    ...tool,
    async execute(given, options) {
      const result: unknown = await tool.execute?.(given, options);
      const { text, url, title } = pageOf(result);
      const of = { ...(url === undefined ? {} : { url }), ...(title === undefined ? {} : { title }) };
      onSource({ tool: tool.name, arguments: given, ...of });
      return text ?? result;
    },
  };
}

interface FoundPage {
  readonly text?: string;
  readonly url?: string;
  readonly title?: string;
}

/** Empty for what is no page: an object with a text, and an address, a title or both. */
function pageOf(result: unknown): FoundPage {
  if (typeof result !== "object" || result === null) return {};
  const of = (name: string): string | undefined => {
    const value: unknown = Reflect.get(result, name);
    return typeof value === "string" ? value : undefined;
  };
  const [text, url, title] = [of("text"), of("url"), of("title")];
  if (text === undefined || (url === undefined && title === undefined)) return {};
  return { text, ...(url === undefined ? {} : { url }), ...(title === undefined ? {} : { title }) };
}
