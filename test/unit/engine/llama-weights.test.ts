import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { FileRange } from "../../../src/engine/host.ts";
import { loadWeights } from "../../../src/engine/llama-weights.ts";
import { moduleStarter } from "../wasm/modules.ts";
import { nanoHeaderBytes, nanoPath } from "./nano.ts";

test("loadWeights() reads neighbours at once, and each byte once", async () => {
  const module = await (await moduleStarter({ bits: 32, shared: false, simd: "relaxed" }))();
  const file = new Uint8Array(await readFile(nanoPath));
  const asked: FileRange[] = [];
  const read = async (_: number, range: FileRange): Promise<Uint8Array<ArrayBuffer>> => {
    asked.push(range);
    return file.slice(range.offset, range.offset + range.length);
  };
  const files = [{ name: nanoPath, size: file.byteLength }];
  const { model } = await loadWeights(module, { files, read }, [nanoHeaderBytes]);
  const [header, ...weights] = asked;
  expect(header).toMatchObject({ offset: 0, length: nanoHeaderBytes });
  // 81 tensors of 4.4 MB.
  expect(weights.map(({ offset, length }) => ({ offset, length }))).toEqual([
    { offset: nanoHeaderBytes, length: file.byteLength - nanoHeaderBytes },
  ]);
  model.free();
});
