import { expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { InferenceError } from "../../../src/errors.ts";
import { createScriptedHost } from "./scripted-host.ts";
import type { Script } from "./scripted-sdk.ts";
import { createScriptedSdk } from "./scripted-sdk.ts";

const play = async (words: readonly string[], script: Script = {}) => {
  const { sdk, calls } = createScriptedSdk(script);
  const host = createScriptedHost({ arguments: ["inspect", ...words] });
  const code = await runProgram(sdk, host);
  return { code, out: host.out(), err: host.err(), calls };
};

test("ruminate inspect tells what a model is and needs, and loads nothing", async () => {
  const { code, out, calls } = await play(["hf:a/b:Q4_K_M"]);
  expect(code).toBe(0);
  expect(calls.inspected).toEqual([{ hf: "a/b", quant: "Q4_K_M" }]);
  expect(calls.loads).toEqual([]);
  expect(out).toBe(`name                     GLM-Z1-9B-0414
architecture             glm4
parameters               9.4 billion
quantization             Q4_K_M
size                     6.2 GB, 523 tensors
trained context          32,768 tokens
vocabulary               151,552 tokens
template                 glm-z1, thinks first
recommended sampling     temperature 0.6, topP 0.95, topK 40, maxTokens 30000
memory at 8,192 tokens   3.5 GiB
memory at 32,768 tokens  7.3 GiB, too much for this host
this host allows         4.0 GiB
`);
});

test("ruminate inspect takes the bundled model without an argument", async () => {
  expect((await play([])).calls.inspected).toEqual([undefined]);
});

test("ruminate inspect --json gives it all, 64-bit integers too, long lists by their length", async () => {
  const { out } = await play(["--json", "m.gguf"]);
  expect(JSON.parse(out)).toMatchObject({
    parameters: 9_400_279_040,
    thinks: true,
    maxMemory: 4 * 2 ** 30,
    metadata: {
      "general.size": "9007199254740993",
      "glm4.block_count": 40,
      "glm4.sections": [1, 2],
      "tokenizer.ggml.tokens": "(1000 values)",
    },
  });
});

test("ruminate inspect fails with the code of what went wrong", async () => {
  const { code, out, err } = await play(["m.gguf"], {
    loadError: new InferenceError("format", "Cannot read m.gguf: it is no GGUF"),
  });
  expect({ code, out, err }).toEqual({ code: 1, out: "", err: "error: Cannot read m.gguf: it is no GGUF (format)\n" });
});
