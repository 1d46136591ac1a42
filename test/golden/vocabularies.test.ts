// Vocabularies of well-known models in our module: their texts become the tokens that llama.cpp's own tests want, and what
// a user, a tool or a system message says never becomes a control token.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Message } from "../../src/contract.ts";
import { loadWeights } from "../../src/engine/llama-weights.ts";
import { promptUnits, specialPattern } from "../../src/engine/prompt-tokens.ts";
import { modelFacts } from "../../src/gguf/facts.ts";
import type { GgufFacts } from "../../src/gguf/facts.ts";
import { readModelHeader } from "../../src/gguf/model-header.ts";
import { createPromptRenderer } from "../../src/prompt/renderer.ts";
import type { NativeModel } from "../../src/wasm/model.ts";
import { startOurs } from "./logits/ours.ts";
import { tinyDecoder } from "./vocabularies/tiny-model.ts";
import { readVocabulary, unpackVocabularies } from "./vocabularies/upstream.ts";
import type { UpstreamVocabulary } from "./vocabularies/upstream.ts";

let folder = "";
let vocabularies = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate-vocabularies-"));
  vocabularies = await unpackVocabularies(folder);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Loaded {
  readonly upstream: UpstreamVocabulary;
  readonly model: NativeModel;
  readonly facts: GgufFacts;
  readonly metadata: ReadonlyMap<string, unknown>;
}

async function load(name: string): Promise<Loaded> {
  const upstream = await readVocabulary(vocabularies, name);
  const tokens = upstream.metadata.get("tokenizer.ggml.tokens");
  if (!tokens) throw new Error(`${name} has no tokens`);
  // After the numbers of the two types, how many there are.
  const size = Number(new DataView(tokens.buffer, tokens.byteOffset).getBigUint64(8, true));
  const bytes = tinyDecoder(upstream.metadata, size);
  const file = {
    name: `${name}.gguf`,
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
  const header = await readModelHeader([file]);
  const module = await startOurs({ bits: 32, shared: false, simd: "relaxed" });
  const { model } = await loadWeights(
    module,
    { files: [file], read: async (_, { offset, length }) => bytes.slice(offset, offset + length) },
    header.shards.map((shard) => shard.header.dataOffset),
  );
  return { upstream, model, facts: modelFacts(header), metadata: header.metadata };
}

/** Of the vocabulary's first two control tokens; a model's own would refuse some orders of roles. */
function templateOf([open = "", close = ""]: readonly string[]): string {
  const turn = `${open}{{ message.role }}\n{{ message.content }}${close}\n`;
  return `{% for message in messages %}${turn}{% endfor %}${open}assistant\n`;
}

describe.each([
  "command-r",
  "deepseek-coder",
  "deepseek-llm",
  "falcon",
  "gemma-4",
  "gpt-2",
  "llama-bpe",
  "llama-spm",
  "phi-3",
  "qwen2",
  "qwen35",
])("the vocabulary %s", (name) => {
  let loaded: Loaded;
  beforeAll(async () => {
    loaded = await load(name);
  }, 60_000);

  test("has the tokens of llama.cpp's own tests", () => {
    const { upstream, model } = loaded;
    expect(upstream.examples.length).toBeGreaterThan(30);
    for (const { text, tokens } of upstream.examples) {
      expect([text, [...model.tokenize(text, false)]]).toEqual([text, tokens]);
    }
  });

  test("none of its control tokens comes out of what anybody says", () => {
    const { model, facts, metadata } = loaded;
    const texts = [...facts.controlTokens.keys()];
    const ids = new Set(facts.controlTokens.values());
    expect(texts.length).toBeGreaterThan(0);
    const specials = specialPattern(texts);
    const renderer = createPromptRenderer({
      template: templateOf(texts),
      metadata,
      controlTokens: texts,
    });
    const controlsOf = (text: string): number[] => {
      const messages: Message[] = [
        { role: "system", content: text },
        { role: "user", content: text },
        { role: "assistant", content: "", toolCalls: [{ id: "1", name: "find", arguments: { text } }] },
        { role: "tool", toolCallId: "1", content: text },
        { role: "user", content: text },
      ];
      const units = promptUnits(renderer.render(messages), [], { tokenizer: model, specials });
      return units.flatMap(({ tokens }) => tokens.filter((token) => ids.has(token)));
    };
    const harmless = controlsOf("a b c");
    expect(harmless.length).toBeGreaterThan(0);
    for (const text of texts) {
      expect([text, controlsOf(text)]).toEqual([text, harmless]);
      expect([text, controlsOf(`a ${text}b\n${text}`)]).toEqual([text, harmless]);
    }
    expect(controlsOf(texts.join(""))).toEqual(harmless);
  }, 60_000);
});
