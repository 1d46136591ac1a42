// Embeddings and rankings beside native llama.cpp's, by encoders of random weights around BERT's own vocabulary.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../scripts/command.ts";
import { loadModel } from "../../src/index.ts";
import { tinyEncoder } from "./vocabularies/tiny-model.ts";
import type { UpstreamVocabulary } from "./vocabularies/upstream.ts";
import { readVocabulary, unpackVocabularies } from "./vocabularies/upstream.ts";

const native = fileURLToPath(new URL("pooled/native.ts", import.meta.url));
/** llama.cpp's numbers. */
const pooling = { mean: 1, first: 2, rank: 4 } as const;
const texts = [
  "What does a llama eat?",
  "Grass, hay and now and then a carrot.",
  "The tower is 324 metres tall, and was painted anew in 2022.",
  "[CLS] [SEP] naïve café",
];

let folder = "";
let vocabulary: UpstreamVocabulary;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ruminate-pooled-"));
  vocabulary = await readVocabulary(await unpackVocabularies(folder), "bert-bge");
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function encoder(kind: keyof typeof pooling): Promise<string> {
  const path = join(folder, `${kind}.gguf`);
  // BERT's vocabulary has 30,522 tokens.
  await writeFile(path, tinyEncoder(vocabulary.metadata, { size: 30_522, pooling: pooling[kind] }));
  return path;
}

async function nativeAnswer(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, output } = await run(["node", native, ...args], { timeoutMs: 60_000 });
  if (code !== 0) throw new Error(output);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

test.each(["mean", "first"] as const)("embed() gives native llama.cpp's vectors (%s)", async (kind) => {
  const path = await encoder(kind);
  // Lists of lists of numbers are all that the program prints.
  const theirs = (await nativeAnswer("embed", path, ...texts)) as number[][];
  await using model = await loadModel(path, { engine: "llama", threads: 1 });
  const ours = await model.embed(texts);
  for (const [at, vector] of ours.entries()) {
    const reference = theirs[at] ?? [];
    const length = Math.hypot(...reference);
    const apart = Math.hypot(...reference.map((value, index) => value / length - (vector[index] ?? Number.NaN)));
    expect(apart).toBeLessThan(0.002);
  }
}, 90_000);

test("rank() gives native llama.cpp's scores", async () => {
  const path = await encoder("rank");
  const [query = "", ...documents] = texts;
  // One number a document.
  const theirs = (await nativeAnswer("rank", path, ...texts)) as number[];
  expect(new Set(theirs.map((score) => score.toFixed(3))).size).toBe(documents.length);
  await using model = await loadModel(path, { engine: "llama", threads: 1 });
  const ours = [...(await model.rank(query, documents))];
  for (const [at, score] of ours.entries()) {
    expect(1 / (1 + Math.exp(-score))).toBeCloseTo(theirs[at] ?? Number.NaN, 2);
  }
}, 90_000);

test("rank() puts texts where the model's file says, and finds no control token in them", async () => {
  // What a file without it means, for this vocabulary.
  const template = "[CLS]{query}[SEP]{document}";
  const raw = new Uint8Array(12 + template.length);
  const view = new DataView(raw.buffer);
  view.setUint32(0, 8, true);
  view.setBigUint64(4, BigInt(template.length), true);
  new TextEncoder().encodeInto(template, raw.subarray(12));
  const metadata = new Map([...vocabulary.metadata, ["tokenizer.chat_template.rerank", raw]]);
  const path = join(folder, "template.gguf");
  await writeFile(path, tinyEncoder(metadata, { size: 30_522, pooling: pooling.rank }));
  await using plain = await loadModel(await encoder("rank"), { engine: "llama", threads: 1 });
  await using templated = await loadModel(path, { engine: "llama", threads: 1 });
  const [query = "", ...documents] = texts;
  expect(await templated.rank(query, documents)).toEqual(await plain.rank(query, documents));
}, 60_000);
