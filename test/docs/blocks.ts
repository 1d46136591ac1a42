// The code blocks of the README and the guides, and what their readers do with them.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/command.ts";

/** A fenced block. */
export interface Block {
  /** Relative to the repository. */
  readonly file: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The heading that it stands under. */
  readonly heading: string;
  /** What a comment right before it says: `not run: why`, `not compared: why`, `example: file`. */
  readonly note: { readonly kind: string; readonly text: string } | undefined;
}

/** Consecutive blocks that are one module: one without imports goes on from the one before. */
export interface Program {
  readonly blocks: readonly [Block, ...Block[]];
  readonly language: "ts" | "js";
  /** Blocks of text right after its own: together what it has to print. None: nothing is said of it. */
  readonly outputs: readonly Block[];
  /** Why it is compiled and no more. */
  readonly notRun: string | undefined;
  /** The file that the block repeats; the stage "examples" runs it. */
  readonly example: string | undefined;
}

/** README and guides, relative to the repository. */
export const pages: readonly string[] = ["README.md", ...globSync("docs/*.md", { cwd: root }).sort()];

/**
 * All fenced blocks of one page.
 *
 * @throws {Error} if a block has no end
 */
export function blocksOf(file: string, text: string = readFileSync(join(root, file), "utf8")): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let before = "";
  let heading = "";
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const language = /^\s*```(.*)$/.exec(line)?.[1];
    if (language === undefined) {
      if (line.trim() !== "") before = line;
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
      continue;
    }
    const end = lines.findIndex((other, index) => index > at && /^\s*```$/.test(other));
    if (end < 0) throw new Error(`${file}:${at + 1}: this block has no end`);
    const [, kind = "", said = ""] = /^<!-- (not run|not compared|example): (.+) -->$/.exec(before) ?? [];
    blocks.push({
      file,
      line: at + 2,
      language: language.trim(),
      code: lines.slice(at + 1, end).join("\n"),
      heading,
      note: kind === "" ? undefined : { kind, text: said },
    });
    before = line;
    at = end;
  }
  return blocks;
}

/** The modules that a page's blocks make. */
export function programsOf(blocks: readonly Block[]): Program[] {
  const groups: { code: [Block, ...Block[]]; outputs: Block[] }[] = [];
  let last: Block | undefined;
  for (const block of blocks) {
    const current = groups.at(-1);
    if (block.language === "ts" || block.language === "js") {
      const goesOn = current && !/^(import|export) /m.test(block.code) && block.note?.kind !== "example";
      if (goesOn) current.code.push(block);
      else groups.push({ code: [block], outputs: [] });
    } else if (block.language === "text" && current && last === current.code.at(-1) && !block.note) {
      current.outputs.push(block);
    }
    last = block;
  }
  return groups.map(({ code, outputs }) => {
    const said = (kind: string): string | undefined => code.find(({ note }) => note?.kind === kind)?.note?.text;
    return {
      blocks: code,
      language: code[0].language === "js" ? "js" : "ts",
      outputs,
      notRun: said("not run"),
      example: said("example"),
    };
  });
}

/** Its code, each line where it stands in its page, so that what a tool says of a line holds for the page. */
export function sourceOf({ blocks }: Program): string {
  let source = "";
  for (const { line, code } of blocks) source += "\n".repeat(line - source.split("\n").length) + code;
  return `${source}\n${/^(import|export) /m.test(source) ? "" : "export {};\n"}`;
}

/** Where a block is, as editors take it. */
export function placeOf({ file, line }: Block): string {
  return `${file}:${line}`;
}
