// Vocabularies of well-known models, which llama.cpp's source has for its own tests, with texts and what tokens they are.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../../scripts/command.ts";
import { sourceBundle } from "../../../scripts/wasm/modules.ts";
import { rawMetadata } from "./raw-metadata.ts";

export interface UpstreamVocabulary {
  /** The tokenizer's keys, as the file has them. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  /** Texts, in which no special token is looked for, and their tokens; a few files have none. */
  readonly examples: readonly { readonly text: string; readonly tokens: readonly number[] }[];
}

/** Takes llama.cpp's source out of where it is kept. @returns A folder below `parent` with all vocabularies. */
export async function unpackVocabularies(parent: string): Promise<string> {
  const source = join(parent, "llama.cpp");
  await git("clone", "--quiet", "--no-checkout", sourceBundle, source);
  await git("-C", source, "checkout", "--quiet", "HEAD", "--", "models");
  return join(source, "models");
}

async function git(...args: string[]): Promise<void> {
  const { code, output } = await run(["git", ...args]);
  if (code !== 0) throw new Error(`git ${args.join(" ")} failed: ${output}`);
}

export async function readVocabulary(folder: string, name: string): Promise<UpstreamVocabulary> {
  const path = join(folder, `ggml-vocab-${name}.gguf`);
  const all = rawMetadata(await readFile(path));
  const texts = (await readFile(`${path}.inp`, "utf8")).split("\n__ggml_vocab_test__\n");
  const lines = (await readFile(`${path}.out`, "utf8")).split("\n");
  return {
    metadata: new Map([...all].filter(([key]) => key.startsWith("tokenizer."))),
    examples: texts.map((text, at) => ({ text, tokens: numbers(lines[at] ?? "") })),
  };
}

function numbers(line: string): number[] {
  return line.split(" ").filter(Boolean).map(Number);
}
