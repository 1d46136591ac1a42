import { describe, expect, test } from "vitest";
import { refusal, serving, thinks } from "./serving.ts";
import type { Serving } from "./serving.ts";

const path = "/v1/embeddings";

function embedding(): Serving {
  const made = serving(thinks, { capabilities: { embed: true } });
  Object.assign(made.engine, {
    embed: (texts: readonly string[]) => Promise.resolve(texts.map((text) => new Float32Array([text.length, -0.5]))),
  });
  return made;
}

describe("POST /v1/embeddings", () => {
  test("gives a vector for each text, in order, and counts tokens", async () => {
    const { post } = embedding();
    expect(await post(path, { input: ["a b", "c"] })).toMatchObject({
      status: 200,
      body: {
        object: "list",
        model: "ruminate-nano",
        data: [
          { object: "embedding", index: 0, embedding: [3, -0.5] },
          { object: "embedding", index: 1, embedding: [1, -0.5] },
        ],
        usage: { prompt_tokens: 3, total_tokens: 3 },
      },
    });
    expect((await post(path, { input: "abc", encoding_format: "float", dimensions: 2 })).body).toMatchObject({
      data: [{ embedding: [3, -0.5] }],
    });
  });

  test("writes 32-bit floats in base64 where asked", async () => {
    const { body } = await embedding().post(path, { input: "a", encoding_format: "base64" });
    const { data } = body as { data: { embedding: string }[] };
    expect(Buffer.from(data[0]?.embedding ?? "", "base64").toString("hex")).toBe("0000803f000000bf");
  });

  test.each([
    [{}, "input", "not be empty|none empty"],
    [{ input: "" }, "input", "none empty"],
    [{ input: [] }, "input", "none empty"],
    [{ input: ["a", ""] }, "input", "none empty"],
    [{ input: [1, 2] }, "input", "token ids"],
    [{ input: Array.from({ length: 2049 }, () => "a") }, "input", "2048"],
    [{ input: "a", encoding_format: "hex" }, "encoding_format", "base64"],
    [{ input: "a", dimensions: 3 }, "dimensions", "have 2"],
  ])("refuses %j", async (body, param, message) => {
    expect(await embedding().post(path, body)).toMatchObject(refusal(param, message));
  });

  test("answers 501 where the model makes none", async () => {
    expect(await serving().post(path, { input: "a" })).toMatchObject({
      status: 501,
      body: { error: { code: "unsupported", type: "server_error" } },
    });
  });
});
