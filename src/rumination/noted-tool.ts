import type { Tool } from "../api/contract.ts";
import type { Source } from "./contract.ts";

/** A tool of the caller's whose results are noted as sources. Of a page the model is told the text. */
export function notedTool(tool: Tool, onSource: (source: Omit<Source, "step">) => void): Tool {
  return {
    ...tool,
    async execute(given, options) {
      const result: unknown = await tool.execute?.(given, options);
      const page = pageOf(result);
      onSource({ tool: tool.name, arguments: given, ...page?.source });
      return page ? page.text : result;
    },
  };
}

/** Undefined for what is no page: an object with a text, and an address, a title or both. */
function pageOf(result: unknown): { text: string; source: Pick<Source, "url" | "title"> } | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const [text, url, title] = ["text", "url", "title"].map((name): unknown => Reflect.get(result, name));
  const source = {
    ...(typeof url === "string" ? { url } : {}),
    ...(typeof title === "string" ? { title } : {}),
  };
  return typeof text === "string" && Object.keys(source).length > 0 ? { text, source } : undefined;
}
