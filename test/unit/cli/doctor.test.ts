import { expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { InferenceError } from "../../../src/errors.ts";
import { createScriptedHost } from "./scripted-host.ts";
import type { Script } from "./scripted-sdk.ts";
import { answer, createScriptedSdk } from "./scripted-sdk.ts";

const play = async (words: readonly string[], script: Script = {}) => {
  const { sdk, calls } = createScriptedSdk(script);
  const host = createScriptedHost({ arguments: ["doctor", ...words] });
  const code = await runProgram(sdk, host);
  return { code, out: host.out(), err: host.err(), calls };
};

test("ruminate doctor tells what the host can do, why not, and that the bundled model answers", async () => {
  const { code, out, calls } = await play([]);
  expect(code).toBe(0);
  expect(out).toBe(`versions               ruminate 1.2.3, node 24.0.0
runtime                node
threads                2
SIMD                   fixed
64-bit memory          yes
memory for a model     4.0 GiB
WebGPU                 no
cross-origin isolated  yes

what is missing, and why:
- WebGPU: this runtime has no navigator.gpu; run in a browser to use one

self-test  passed in 0.00 s: What is 47 + 85? 47 + 85 = 132 (script, 140 tokens/s)
`);
  expect(calls.loads[0]?.source).toBeUndefined();
  expect(calls.closed).toBe(1);
});

test("ruminate doctor has exit code 1 for a wrong answer", async () => {
  const { code, out, calls } = await play([], { turns: [[answer("It is 131.")]] });
  expect(code).toBe(1);
  expect(out).toContain("self-test  failed: What is 47 + 85? It is 131. (132 was expected)\n");
  expect(calls.closed).toBe(1);
});

test("ruminate doctor has exit code 1 for a model that does not load, and still reports", async () => {
  const { code, out, err } = await play([], { loadError: new InferenceError("crashed", "The worker did not start") });
  expect({ code, err }).toEqual({ code: 1, err: "" });
  expect(out).toContain("self-test  failed after 0.00 s: The worker did not start\n");
});

test("ruminate doctor --json is one JSON document, also of a failure", async () => {
  const good = await play(["--json"], { capabilities: { maxMemory: Infinity } });
  expect(JSON.parse(good.out)).toMatchObject({
    version: "1.2.3",
    runtimes: { node: "24.0.0" },
    capabilities: { threads: 2, maxMemory: "Infinity" },
    selfTest: { ok: true, answer: "47 + 85 = 132", engine: "script" },
  });
  const bad = await play(["--json"], { loadError: new Error("no") });
  expect(bad.code).toBe(1);
  expect(JSON.parse(bad.out)).toMatchObject({ selfTest: { ok: false, error: "no" } });
});
