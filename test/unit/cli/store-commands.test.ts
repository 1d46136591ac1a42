import { expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { InferenceError } from "../../../src/errors.ts";
import { createScriptedHost } from "./scripted-host.ts";
import type { Script } from "./scripted-sdk.ts";
import { createScriptedSdk } from "./scripted-sdk.ts";

const play = async (words: readonly string[], script: Script = {}) => {
  const { sdk, calls } = createScriptedSdk(script);
  const host = createScriptedHost({ arguments: words });
  const code = await runProgram(sdk, host);
  return { code, out: host.out(), err: host.err(), calls };
};

const kept = [
  {
    name: "a.gguf",
    addresses: ["http://h/a.gguf"],
    sizeBytes: 6_200_000_000,
    totalBytes: 6_200_000_000,
    isWhole: true,
  },
  { name: "b.gguf", addresses: ["http://h/b.gguf"], sizeBytes: 3000, totalBytes: 9000, isWhole: false },
];

test("ruminate pull fetches what it names, and tells what that is", async () => {
  const { code, out, calls } = await play(["pull", "hf:a/b:Q4_K_M"]);
  expect(code).toBe(0);
  expect(calls.pulled.map(({ source }) => source)).toEqual([{ hf: "a/b", quant: "Q4_K_M" }]);
  expect(calls.loads).toEqual([]);
  expect(out).toBe("scripted  6.2 GB, 2 files\n");
});

test("ruminate pull --json --integrity", async () => {
  const { out, calls } = await play(["pull", "--json", "--integrity", "sha256-x", "http://h/a.gguf"]);
  expect(JSON.parse(out)).toMatchObject({ name: "scripted", sizeBytes: 6_200_000_000 });
  expect(calls.pulled[0]?.options.integrity).toBe("sha256-x");
});

test("ruminate pull refuses a path, with 2", async () => {
  const { code, err } = await play(["pull", "model.gguf"]);
  expect(code).toBe(2);
  expect(err).toContain("a URL or hf:owner/repo[:quant]");
});

test("ruminate pull fails with the code of what went wrong", async () => {
  const loadError = new InferenceError("integrity", "Cannot use a.gguf: it is another");
  expect(await play(["pull", "http://h/a.gguf"], { loadError })).toMatchObject({
    code: 1,
    err: "error: Cannot use a.gguf: it is another (integrity)\n",
  });
});

test("ruminate pull says at Ctrl-C that the part is kept, and ends with 130", async () => {
  const { sdk, calls } = createScriptedSdk({ hold: "until-abort" });
  const host = createScriptedHost({ arguments: ["pull", "http://h/a.gguf"] });
  const running = runProgram(sdk, host);
  while (calls.pulled.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  host.interrupt();
  expect(await running).toBe(130);
  expect(host.err()).toContain("the same command goes on from there");
});

test("ruminate ls tells whole models from parts", async () => {
  expect((await play(["ls"], { kept })).out).toBe(
    "a.gguf  6.2 GB  http://h/a.gguf\nb.gguf  3.0 kB of 9.0 kB  http://h/b.gguf\n",
  );
  expect(JSON.parse((await play(["ls", "--json"], { kept })).out)).toEqual(kept);
  expect(await play(["ls"])).toMatchObject({ code: 0, out: "", err: expect.stringContaining("ruminate pull") });
});

test("ruminate rm removes by name and by source, and fails if there is nothing", async () => {
  const { code, out, calls } = await play(["rm", "a.gguf", "hf:a/b"], { kept });
  expect(code).toBe(0);
  expect(out).toBe("removed a.gguf  6.2 GB\nremoved a.gguf  6.2 GB\n");
  expect(calls.removed).toEqual(["a.gguf", { hf: "a/b" }]);
  expect(await play(["rm", "c.gguf"])).toMatchObject({ code: 1, err: expect.stringContaining("it is not kept") });
});

test("ruminate run keeps what comes over the network, unless told not to", async () => {
  const stores = async (...words: string[]): Promise<unknown> =>
    (await play(["run", ...words, "Hi"])).calls.loads[0]?.options.store;
  expect(await stores("-m", "hf:a/b")).toBe("auto");
  expect(await stores("-m", "https://h/a.gguf")).toBe("auto");
  expect(await stores("--no-store", "-m", "hf:a/b")).toBeUndefined();
  expect(await stores("-m", "a.gguf")).toBeUndefined();
  expect(await stores()).toBeUndefined();
});
