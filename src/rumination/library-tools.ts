// The tools of GLM-Z1-Rumination: names, parameters and the form of a list of results are those of its template and of the
// example on its model card.
import type { Tool } from "../api/contract.ts";
import type { Library, Page, SearchHit, Source } from "./contract.ts";

export interface LibraryToolsOptions {
  readonly pageLength: number;
  readonly onSource: (source: Omit<Source, "step">) => void;
}

const textParameter = (name: string): object => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name],
  additionalProperties: false,
});

/** `search`, `click` and `open` over a library. `click` takes the numbers of the last search. */
export function libraryTools(library: Library, { pageLength, onSource }: LibraryToolsOptions): readonly Tool[] {
  let hits: readonly SearchHit[] = [];
  // Calls of one turn run side by side; the last one's list is the last that the model reads, whichever comes first.
  let searches = 0;
  let shown = 0;

  async function read(
    call: Pick<Source, "tool" | "arguments">,
    { url, title: listed }: { url: string; title?: string },
    signal: AbortSignal,
  ): Promise<string> {
    const { text, title = listed } = checkPage(await library.open(url, { signal }));
    onSource({ ...call, url, ...(title === undefined ? {} : { title }) });
    return shorten(text, pageLength);
  }

  const search: Tool<{ query: string }> = {
    name: "search",
    description: "Search for pages. Use it to find out about something.",
    parameters: textParameter("query"),
    async execute({ query }, { signal }) {
      const search = ++searches;
      const found = checkHits(await library.search(query, { signal }));
      if (search > shown) {
        shown = search;
        hits = found;
      }
      return found.length === 0 ? "No results." : found.map(hitText).join("\n\n");
    },
  };
  const click: Tool<{ link_id: number }> = {
    name: "click",
    description: "Read a page of the last search.",
    parameters: {
      type: "object",
      properties: { link_id: { type: "integer", description: "Number of the page in the results" } },
      required: ["link_id"],
      additionalProperties: false,
    },
    async execute({ link_id: number }, { signal }) {
      const hit = hits[number];
      if (!hit) throw new Error(`there is no link ${number}; ${known(hits.length)}`);
      return read({ tool: "click", arguments: { link_id: number } }, hit, signal);
    },
  };
  const open: Tool<{ url: string }> = {
    name: "open",
    description: "Read the page at an address.",
    parameters: textParameter("url"),
    execute: ({ url }, { signal }) => read({ tool: "open", arguments: { url } }, { url }, signal),
  };
  // Each takes the arguments that its own schema, checked before, lets through.
  return [search, click, open] as readonly Tool[];
}

function known(count: number): string {
  return count === 0 ? "search first" : `the last search gave links 0 to ${count - 1}`;
}

/** In the form that the model was trained to read. */
function hitText({ title, url, snippet = "" }: SearchHit, number: number): string {
  return `【${number}†${oneLine(title)}†${oneLine(url)}\n${snippet}】`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  // Not between the halves of a character.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(length - 1)) ? length - 1 : length;
  return `${text.slice(0, end)}\n[${text.length - end} more characters are not shown]`;
}

function checkHits(hits: readonly SearchHit[]): readonly SearchHit[] {
  const isHit = (hit: unknown): boolean =>
    typeof hit === "object" &&
    hit !== null &&
    typeof Reflect.get(hit, "url") === "string" &&
    typeof Reflect.get(hit, "title") === "string";
  if (!Array.isArray(hits) || !hits.every(isHit)) {
    throw new TypeError("library.search() must give an array of { title, url }, both strings");
  }
  return hits.map(({ title, url, snippet }) => ({ title, url, snippet: snippet ?? "" }));
}

function checkPage(page: Page): { text: string; title?: string } {
  if (typeof page === "string") return { text: page };
  if (typeof page !== "object" || page === null || typeof page.text !== "string") {
    throw new TypeError("library.open() must give a string, or an object with text");
  }
  return page;
}
