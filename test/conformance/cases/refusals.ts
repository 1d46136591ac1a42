import { equal, failsWith, ok } from "../assert.ts";
import type { ConformanceCase, ConformanceContext } from "../contract.ts";
import { answers, question } from "./ask.ts";

async function modelBytes({ urls }: ConformanceContext): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(urls.model)).arrayBuffer());
}

/** What the package says no to, and how. */
export const refusals: readonly ConformanceCase[] = [
  {
    name: "loadModel() refuses what is no GGUF with format",
    smoke: true,
    async run(sdk, { load, origin }) {
      await failsWith(sdk, "format", () => sdk.loadModel(new Uint8Array(0), load));
      await failsWith(sdk, "format", () => sdk.loadModel(new Uint8Array(4096), load));
      await failsWith(sdk, "format", () => sdk.loadModel(new Blob(["<!doctype html><title>Not here</title>"]), load));
      await failsWith(sdk, "format", () => sdk.loadModel(`${origin}/test/golden/golden.json`, load));
    },
  },
  {
    name: "loadModel() refuses a GGUF that ends too early with format",
    async run(sdk, context) {
      const bytes = await modelBytes(context);
      await failsWith(sdk, "format", () => sdk.loadModel(bytes.slice(0, 1000), context.load));
      await failsWith(sdk, "format", () => sdk.loadModel(bytes.slice(0, bytes.length / 2), context.load));
    },
  },
  {
    name: "loadModel() refuses a header with impossible counts with format",
    async run(sdk, context) {
      const bytes = await modelBytes(context);
      // Offsets in the fixed part of the header: version, number of tensors, number of metadata entries.
      for (const [offset, value] of [
        [4, 99n],
        [8, 2n ** 60n],
        [16, 2n ** 60n],
      ] as const) {
        const bad = bytes.slice();
        const view = new DataView(bad.buffer);
        if (offset === 4) view.setUint32(offset, Number(value), true);
        else view.setBigUint64(offset, value, true);
        await failsWith(sdk, "format", () => sdk.loadModel(bad, context.load));
      }
    },
  },
  {
    name: "loadModel() refuses a model of 40 GB from its header, before its weights are fetched",
    smoke: true,
    async run(sdk, { load, urls }) {
      const { details, message } = await failsWith(sdk, "memory", () => sdk.loadModel(urls.huge, load));
      ok(Number(details?.["needed"]) > 39e9, `details: ${JSON.stringify(details)}`);
      ok(/\d/.test(message), `the message names no numbers: ${message}`);
      // Counted by the server, what lies in the sockets included; another request's answer comes after that.
      const sent = Number(await (await fetch(urls.hugeSent)).json());
      ok(sent > 0 && sent < 32 * 2 ** 20, `${sent} bytes were sent`);
    },
  },
  {
    name: "loadModel() of what is not there fails with network",
    async run(sdk, { load, urls }) {
      const error = await failsWith(sdk, "network", () => sdk.loadModel(urls.missing, load));
      ok(error.message.includes("404"), `the message does not name the status: ${error.message}`);
      // Port 9 discards: nothing listens there.
      await failsWith(sdk, "network", () => sdk.loadModel("http://127.0.0.1:9/nano.gguf", load));
    },
  },
  {
    name: "what the engine can't do rejects with unsupported",
    async run(sdk, { load }) {
      await failsWith(sdk, "unsupported", () => sdk.loadModel(undefined, { ...load, device: "webgpu" }));
    },
  },
  {
    name: "integrity lets the right file through, and no other",
    async run(sdk, context) {
      const { load } = context;
      const { model: url } = context.urls;
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await modelBytes(context)));
      const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
      const model = await sdk.loadModel(url, { ...load, integrity: hex });
      await answers(model);
      await model.close();
      await failsWith(sdk, "integrity", () => sdk.loadModel(url, { ...load, integrity: "0".repeat(64) }));
    },
  },
  {
    name: "a store keeps what was fetched: the second load asks no server",
    async run(sdk, { load, urls: { model: url } }) {
      const store = sdk.memoryStore();
      let requests = 0;
      const counting: typeof globalThis.fetch = (input, init) => {
        requests += 1;
        return fetch(input, init);
      };
      for (const isFirst of [true, false]) {
        requests = 0;
        const model = await sdk.loadModel(url, { ...load, store, fetch: counting });
        await answers(model);
        await model.close();
        equal(requests > 0, isFirst, `requests were made (there were ${requests})`);
      }
    },
  },
  {
    name: "InferenceError.is() knows the package's errors, also of another copy of it",
    async run(sdk) {
      const error = new sdk.InferenceError("busy", "Cannot do two things at once");
      ok(error instanceof Error && sdk.InferenceError.is(error, "busy"), "its own error");
      equal(sdk.InferenceError.is(error, "closed"), false, "another code");
      equal(sdk.InferenceError.is(new Error(question)), false, "a plain error");
      const foreign = Object.assign(new Error("x"), { code: "busy", [Symbol.for("ruminate.InferenceError")]: true });
      equal(sdk.InferenceError.is(foreign, "busy"), true, "an error of another copy");
    },
  },
];
