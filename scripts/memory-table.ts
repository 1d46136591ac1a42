// The memory guide's table: what a model of GLM-Z1-9B's shape takes, by the estimate that loadModel() goes by.
//   node scripts/memory-table.ts --write
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Recipe, tensorsOf } from "../bench/random-model.ts";
import { shapes } from "../bench/speed/models.ts";
import { estimateMemory } from "../src/gguf/estimate.ts";
import type { ModelHeader } from "../src/gguf/model-header.ts";
import { root } from "./command.ts";

const path = join(root, "docs/memory.md");
const section = /(?<=<!-- memory -->\n\n)[^]*?(?=\n\n<!-- \/memory -->)/;
const recipes: readonly Recipe[] = ["Q4_0", "Q4_K_M", "Q8_0"];
const contexts = [8192, 32_768, 65_536, 131_072];
const kvTypes = ["f16", "q8_0", "q4_0"] as const;

/** What a header of GLM-Z1-9B's shape says, as far as an estimate needs it. */
export function glm9bHeader(recipe: Recipe): ModelHeader {
  const shape = shapes["9B"];
  const metadata = new Map<string, unknown>([
    ["glm4.block_count", shape.layers],
    ["glm4.embedding_length", shape.embedding],
    ["glm4.feed_forward_length", shape.feedForward],
    ["glm4.attention.head_count", shape.heads],
    ["glm4.attention.head_count_kv", shape.kvHeads],
    ["glm4.attention.key_length", shape.headSize],
    ["glm4.attention.value_length", shape.headSize],
    ["tokenizer.ggml.tokens", Array.from({ length: shape.vocabulary }, () => "")],
  ]);
  const tensors = tensorsOf(shape, recipe).map(({ name, type, dimensions, bytes }) => ({
    name,
    type,
    shape: dimensions,
    offset: 0,
    bytes,
  }));
  const sizeBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  return { label: `GLM-Z1-9B ${recipe}`, architecture: "glm4", metadata, tensors, sizeBytes, shards: [] };
}

/** The table, as the guide has it. */
export function memoryTable(): string {
  const head = ["file", "context", ...kvTypes.map((kvType) => `KV ${kvType}`)];
  const rows = recipes.flatMap((recipe) => {
    const header = glm9bHeader(recipe);
    const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
    return contexts.map((contextSize, at) => [
      at === 0 ? `${recipe}, ${gib(header.sizeBytes)} GiB` : "",
      contextSize.toLocaleString("en"),
      ...kvTypes.map((kvType) => gib(estimateMemory(header, { contextSize, kvType }).total)),
    ]);
  });
  const widths = head.map((title, at) =>
    Math.max(...[title, ...rows.map((row) => row[at] ?? "")].map((text) => text.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** The table that the guide has. */
export function shownMemoryTable(): string | undefined {
  return section.exec(readFileSync(path, "utf8"))?.[0];
}

if (import.meta.main) {
  if (!process.argv.includes("--write")) throw new Error("Nothing to do: --write is the one thing that this does");
  writeFileSync(path, readFileSync(path, "utf8").replace(section, memoryTable()));
}
