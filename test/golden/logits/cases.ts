// The models of the comparison, and what is put into them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomModel } from "../random-model.ts";
import type { RunCase } from "./trace.ts";

const nano = fileURLToPath(new URL("../../../models/ruminate-nano-q8_0.gguf", import.meta.url));

/** All types that have kernels of their own. */
const types = ["F16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"] as const;

/** Shorter than what is evaluated, so that YaRN has something to stretch. */
const randomContext = 128;

export const caseNames: readonly string[] = [...types, "nano"].flatMap((model) => [model, `${model} with YaRN`]);

/** Control tokens, words, numbers, runs of blanks, and characters of two, three and four bytes. */
const text = [
  "[gMASK]<sop><|user|>\nWhat is 47 + 85?<|assistant|>\n<think>\n4 + 8 + 1 = 13\n</think>\n132<|endoftext|>",
  "The quick brown fox jumps over the lazy dog; zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
  "你好！ 58+67は？ 🦙 Ünïcödé e\u0301, 3.14159, 1,000,000, a.b@c.de, they'll, WE'VE\t\ttabs\n\n\n    and blanks   ",
  "In another moment down went the reader after it, never once considering how in the world to get out again.",
].join("\n");

/** Writes the models into a folder. @returns The cases, in the order of {@link caseNames}. */
export async function makeCases(folder: string): Promise<RunCase[]> {
  const random = types.map(async (type, seed) => {
    const model = join(folder, `${type}.gguf`);
    await writeFile(model, randomModel({ type, seed, contextTrained: randomContext }));
    return { model, contextTrained: randomContext };
  });
  const models = [...(await Promise.all(random)), { model: nano, contextTrained: 512 }];
  return models.flatMap((model) => [
    { ...model, text, yarn: false },
    { ...model, text, yarn: true },
  ]);
}
