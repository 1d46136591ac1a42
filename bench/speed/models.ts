// The generated models, kept in the user's cache folder.
import { mkdir, stat, statfs } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parametersOf, randomModelBytes, writeRandomModel } from "../random-model.ts";
import type { ModelShape, Recipe } from "../random-model.ts";

/** Part of the files' names: another number where the generator makes other files. */
const generation = 1;

const glm = { kvHeads: 2, headSize: 128, context: 8192 } as const;
/** By their numbers of weights; the last is the shape of GLM-Z1-9B. */
export const shapes = {
  "21M": { ...glm, layers: 4, embedding: 512, feedForward: 1536, heads: 4, vocabulary: 8192 },
  "222M": { ...glm, layers: 12, embedding: 1024, feedForward: 4096, heads: 8, vocabulary: 19_456 },
  "9B": {
    ...glm,
    layers: 40,
    embedding: 4096,
    feedForward: 13_696,
    heads: 32,
    vocabulary: 151_552,
    context: 32_768,
  },
} as const satisfies Record<string, ModelShape>;

export type SizeName = keyof typeof shapes;

/** Something on this machine is in the way, and the message says what would help. */
export class Obstacle extends Error {}

export function modelFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"];
  return join(cache ? cache : join(homedir(), ".cache"), "ruminate", "bench-models");
}

/** Bytes that stay free on the disk. */
const reserve = 2 ** 30;

/**
 * Gives a model's path and size, and makes the file if it is not there.
 *
 * @throws {Obstacle} if the disk has no room for it
 * @throws `signal.reason`
 */
export async function ensureModel(
  size: SizeName,
  recipe: Recipe,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: (line: string) => void },
): Promise<{ readonly path: string; readonly bytes: number }> {
  const folder = modelFolder();
  await mkdir(folder, { recursive: true });
  const path = join(folder, `glm4-${size}-${recipe}-${generation}.gguf`);
  const found = await stat(path).catch(() => undefined);
  if (found) return { path, bytes: found.size };
  const shape: ModelShape = shapes[size];
  const needed = randomModelBytes(shape, recipe);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < needed + reserve) {
    throw new Obstacle(
      `Cannot make a model of ${gigabytes(needed)} in ${folder}: ${gigabytes(bavail * bsize)} are free there, and ` +
        `${gigabytes(needed + reserve)} are wanted; free some, or name another folder in XDG_CACHE_HOME`,
    );
  }
  progress(`Making ${path}: ${(parametersOf(shape) / 1e6).toFixed(0)}M random weights, ${gigabytes(needed)}`);
  let told = Date.now();
  await writeRandomModel(path, {
    shape,
    recipe,
    signal,
    onprogress(written, total) {
      if (Date.now() - told < 5000) return;
      told = Date.now();
      progress(`  ${((100 * written) / total).toFixed(0)} %`);
    },
  });
  return { path, bytes: (await stat(path)).size };
}

export function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
