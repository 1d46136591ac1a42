// A process that loads a model into a folder, for tests that end it or run two at once: address, folder, digest.
import { withSource } from "../../../src/api/with-source.ts";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import { diskStore } from "../../../src/store/disk-store.ts";

const [address = "", folder = "", integrity = ""] = process.argv.slice(2);
const waited = await withSource(address, { store: diskStore({ folder }) }, async (opened) => {
  await readModelHeader(opened.files);
  const seen: number[] = [];
  await opened.prepare({ integrity, onprogress: ({ loaded }) => seen.push(loaded) });
  await opened.close();
  return seen;
});
console.log(JSON.stringify(waited));
