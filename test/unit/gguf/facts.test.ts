import { readFileSync } from "node:fs";
import { GGMLFileQuantizationType } from "@huggingface/gguf";
import { expect, test } from "vitest";
import type { ModelFacts } from "../../../src/engine/engine.ts";
import type { GgufFacts } from "../../../src/gguf/facts.ts";
import { fileTypeName, modelFacts } from "../../../src/gguf/facts.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import type { FixtureValue } from "../../gguf-fixture.ts";
import { buildModel, modelMetadata, sourceOf } from "../../gguf-fixture.ts";

async function factsOf(changes: Readonly<Record<string, FixtureValue | undefined>> = {}): Promise<GgufFacts> {
  const pairs = Object.entries({ ...modelMetadata, ...changes }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return modelFacts(await readModelHeader([sourceOf(buildModel({ metadata: pairs }))]));
}

test("modelFacts() gives the engine what it takes, and the rest by name", async () => {
  const facts = await factsOf();
  const forEngine: ModelFacts = facts;
  expect(forEngine).toEqual({
    architecture: "glm4",
    contextTrained: 512,
    controlTokens: new Map([
      ["<unk>", 2],
      ["<|endoftext|>", 3],
      ["<|user|>", 4],
      ["<|assistant|>", 5],
      ["<|observation|>", 6],
    ]),
    endTokens: [3, 4, 6],
    vocabularySize: 8,
    name: "fixture",
    template: "[gMASK]<sop>",
    parameters: 512,
    quantization: "Q8_0",
  });
});

test("modelFacts() tells how embeddings are pooled, and how a model that ranks wants its texts", async () => {
  const facts = await factsOf({
    "glm4.pooling_type": 4,
    "tokenizer.chat_template.rerank": "{query} | {document}",
  });
  expect(facts).toMatchObject({ pooling: 4, rankTemplate: "{query} | {document}" });
});

test("modelFacts() ends generation where the file says, and at GLM's role tokens whatever it says", async () => {
  const other = ["a", "b", "<unk>", "</s>", "<|im_end|>", "x", "y", "z"];
  expect((await factsOf({ "tokenizer.ggml.tokens": other, "tokenizer.ggml.eot_token_id": 4 })).endTokens).toEqual([
    3, 4,
  ]);
  expect((await factsOf({ "tokenizer.ggml.eos_token_id": undefined })).endTokens).toEqual([3, 4, 6]);
  expect((await factsOf({ "tokenizer.ggml.eom_token_id": 0 })).endTokens).toEqual([3, 0, 4, 6]);
});

test("modelFacts() leaves out what the file does not have", async () => {
  const facts = await factsOf({
    "general.name": undefined,
    "general.file_type": undefined,
    "tokenizer.chat_template": undefined,
    "tokenizer.ggml.token_type": undefined,
  });
  expect(facts).not.toHaveProperty("template");
  expect(facts).not.toHaveProperty("name");
  expect(facts.controlTokens.size).toBe(0);
  expect(facts.quantization).toBe("unknown");
});

test("modelFacts() refuses ids outside the vocabulary, types that do not match it, and a missing context", async () => {
  await expect(factsOf({ "tokenizer.ggml.eos_token_id": 8 })).rejects.toThrow(
    /"tokenizer\.ggml\.eos_token_id" is 8; an id below 8/,
  );
  await expect(factsOf({ "tokenizer.ggml.eot_token_id": -1 })).rejects.toThrow(/is -1/);
  await expect(factsOf({ "tokenizer.ggml.token_type": [1, 2] })).rejects.toThrow(/8 tokens but 2 token types/);
  await expect(factsOf({ "glm4.context_length": undefined })).rejects.toMatchObject({ code: "format" });
  await expect(factsOf({ "glm4.context_length": 0 })).rejects.toThrow(/context_length" is 0/);
});

test("modelFacts() knows the bundled model", async () => {
  const bytes = new Uint8Array(readFileSync(new URL("../../../models/ruminate-nano-q8_0.gguf", import.meta.url)));
  const facts = modelFacts(await readModelHeader([sourceOf(bytes)]));
  expect(facts).toMatchObject({
    architecture: "glm4",
    contextTrained: 512,
    name: "ruminate-nano",
    vocabularySize: 1024,
    parameters: 4_072_704,
    quantization: "Q8_0",
    endTokens: [1012, 1019, 1021],
  });
  expect(facts.controlTokens.get("<|user|>")).toBe(1019);
  expect(facts.controlTokens.has("<think>")).toBe(false);
  expect(facts.template).toContain("<|observation|>");
});

test("fileTypeName() agrees with @huggingface/gguf", () => {
  for (let id = 0; id < 200; id++) {
    const name = fileTypeName(id);
    if (name !== undefined) expect(GGMLFileQuantizationType[id]).toBe(name);
  }
  expect(fileTypeName(15)).toBe("Q4_K_M");
  expect(fileTypeName("15")).toBeUndefined();
});
