import type { Model } from "../../../src/index.ts";
import { equal, failsWith, ok } from "../assert.ts";
import type { ConformanceCase, ConformanceContext } from "../contract.ts";
import { answers } from "./ask.ts";

async function works(loading: Promise<Model>): Promise<void> {
  const model = await loading;
  equal(model.info.name, "ruminate-nano", "info.name");
  await answers(model);
  await model.close();
}

async function fetched({ urls }: ConformanceContext): Promise<Response> {
  const response = await fetch(urls.model);
  ok(response.ok, `${urls.model}: status ${response.status}`);
  return response;
}

/** Everything that weights may come from. */
export const sources: readonly ConformanceCase[] = [
  {
    name: "loadModel() from a URL as text",
    smoke: true,
    run: (sdk, { load, urls }) => works(sdk.loadModel(urls.model, load)),
  },
  {
    name: "loadModel() from a URL object",
    run: (sdk, { load, urls }) => works(sdk.loadModel(new URL(urls.model), load)),
  },
  {
    name: "loadModel() from a Request",
    run: (sdk, { load, urls }) => works(sdk.loadModel(new Request(urls.model), load)),
  },
  {
    name: "loadModel() from a Response",
    run: async (sdk, context) => works(sdk.loadModel(await fetched(context), context.load)),
  },
  {
    name: "loadModel() from a stream",
    async run(sdk, context) {
      const { body } = await fetched(context);
      ok(body, "the response has no body");
      // The stream of a fetch holds bytes in buffers of their own; not every lib.dom says so.
      await works(sdk.loadModel(body as ReadableStream<Uint8Array<ArrayBuffer>>, context.load));
    },
  },
  {
    name: "loadModel() from a Blob",
    run: async (sdk, context) => works(sdk.loadModel(await (await fetched(context)).blob(), context.load)),
  },
  {
    name: "loadModel() from bytes, which stay the caller's",
    async run(sdk, context) {
      const bytes = await (await fetched(context)).arrayBuffer();
      const size = bytes.byteLength;
      await works(sdk.loadModel(bytes, context.load));
      equal(bytes.byteLength, size, "the buffer is still whole");
      // A view into a larger buffer: only what it shows is the model.
      const wide = new Uint8Array(size + 64);
      wide.set(new Uint8Array(bytes), 32);
      await works(sdk.loadModel(wide.subarray(32, 32 + size), context.load));
    },
  },
  {
    name: "loadModel() fetches with the fetch that it is given",
    async run(sdk, { load, urls }) {
      const seen: string[] = [];
      const own = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
        seen.push(input instanceof Request ? input.url : String(input));
        return fetch(urls.model, init);
      };
      // Bun's type of fetch has more members than the call that the package makes.
      await works(sdk.loadModel("https://models.invalid/any.gguf", { ...load, fetch: own as typeof fetch }));
      ok(
        seen.length > 0 && seen.every((url) => url.startsWith("https://models.invalid/")),
        `fetched: ${seen.join(" ")}`,
      );
    },
  },
  {
    name: "loadModel() from the shards of a split GGUF, in any order",
    smoke: true,
    run: (sdk, { load, urls }) => works(sdk.loadModel(urls.shards.toReversed(), load)),
  },
  {
    name: "loadModel() refuses a split GGUF with a shard missing, with format",
    async run(sdk, { load, urls }) {
      const [first = ""] = urls.shards;
      // Bytes: an address would lead to the other shard, which is named alike.
      const half = await (await fetch(first)).blob();
      await failsWith(sdk, "format", () => sdk.loadModel([half], load));
    },
  },
  {
    name: "loadModel() finds the other shards beside the first",
    async run(sdk, { load, urls }) {
      const [first = ""] = urls.shards;
      await works(sdk.loadModel(first, load));
    },
  },
  {
    name: "loadModel() from a path",
    smoke: true,
    needs: "files",
    async run(sdk, { load, files }) {
      ok(files, "this host has no files");
      await works(sdk.loadModel(files.model, load));
      await works(sdk.loadModel(files.shards.toReversed(), load));
    },
    async absent(sdk, { load }) {
      await failsWith(sdk, ["unsupported", "network"], () => sdk.loadModel("file:///models/nano.gguf", load));
    },
  },
  {
    name: "loadModel() from a file URL",
    needs: "files",
    async run(sdk, { load, files }) {
      ok(files, "this host has no files");
      await works(sdk.loadModel(new URL(`file://${files.model}`), load));
    },
    async absent(sdk, { load }) {
      await failsWith(sdk, ["unsupported", "network"], () => sdk.loadModel(new URL("file:///models/nano.gguf"), load));
    },
  },
];
