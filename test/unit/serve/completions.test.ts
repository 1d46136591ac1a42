import { describe, expect, test } from "vitest";
import { lastPrompt } from "../api/scripted-model.ts";
import { eventsOf, refusal, serving } from "./serving.ts";

const path = "/v1/completions";

describe("POST /v1/completions", () => {
  test("goes on from a prompt as it is, and gives back what was written as it is", async () => {
    const { post, engine } = serving(() => "<think>hm</think> yes");
    const { status, body } = await post(path, { prompt: "Once <|user|>" });
    expect(status).toBe(200);
    expect(lastPrompt(engine)).toBe("Once <|user|>");
    expect(body).toMatchObject({
      id: expect.stringMatching(/^cmpl-/),
      object: "text_completion",
      choices: [{ index: 0, text: "<think>hm</think> yes", logprobs: null, finish_reason: "stop" }],
      usage: { completion_tokens_details: { reasoning_tokens: 0 } },
    });
  });

  test("streams", async () => {
    const { post } = serving(() => "upon a time");
    const { body } = await post(path, {
      prompt: ["Once"],
      max_tokens: 2,
      stream: true,
      stream_options: { include_usage: true },
    });
    const events = eventsOf(body) as { choices: { text: string; finish_reason: unknown }[]; usage: unknown }[];
    expect(events.pop()).toBe("[DONE]");
    expect(events.pop()).toMatchObject({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } });
    expect(events.map(({ choices }) => choices[0]?.text).join("")).toBe("upon a");
    expect(events.at(-1)).toMatchObject({ choices: [{ finish_reason: "length" }] });
  });

  test("takes token ids", async () => {
    const { post, engine } = serving();
    for (const prompt of [[3, 1, 2], [[3, 1, 2]]]) {
      expect((await post(path, { prompt })).status).toBe(200);
      expect(engine.calls.at(-1)?.segments).toEqual([{ kind: "tokens", ids: new Uint32Array([3, 1, 2]) }]);
    }
  });

  test.each([
    [{}, "prompt", "not empty"],
    [{ prompt: "" }, "prompt", "not empty"],
    [{ prompt: [] }, "prompt", "not empty"],
    [{ prompt: ["a", "b"] }, "prompt", "one a request"],
    [{ prompt: [1, "b"] }, "prompt", "token ids"],
    [{ prompt: [-1] }, "prompt", "token ids"],
    [{ prompt: "a", echo: true }, "echo", "not supported"],
    [{ prompt: "a", suffix: "b" }, "suffix", "not supported"],
    [{ prompt: "a", best_of: 2 }, "best_of", "not supported"],
    [{ prompt: "a", n: 2 }, "n", "not supported"],
    [{ prompt: "a", logprobs: true }, "logprobs", "whole number"],
    [{ prompt: "a", logprobs: 1 }, null, "logprobs"],
  ])("refuses %j", async (body, param, message) => {
    expect(await serving().post(path, body)).toMatchObject(refusal(param, message));
  });
});
