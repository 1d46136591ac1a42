// A handler over a scripted model, and what its clients send and read.
import { expect } from "vitest";
import { createHandler } from "../../../src/openai.ts";
import type { HandlerOptions } from "../../../src/openai.ts";
import type { FakeScript } from "../../fake-engine.ts";
import type { ScriptedModelOptions } from "../api/scripted-model.ts";
import { scriptedModel } from "../api/scripted-model.ts";

export const thinks = (): string => "one two\n</think>\nYes it is.";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body, parsed where it is JSON; tests say what they expect in it. */
  readonly body: unknown;
}

export interface Serving extends ReturnType<typeof scriptedModel> {
  readonly handler: (request: Request) => Promise<Response>;
  readonly post: (path: string, body: object, init?: RequestInit) => Promise<Answer>;
  readonly get: (path: string, init?: RequestInit) => Promise<Answer>;
}

export function serving(
  script: FakeScript = thinks,
  { options = {}, ...model }: ScriptedModelOptions & { options?: HandlerOptions } = {},
): Serving {
  const scripted = scriptedModel(script, model);
  const handler = createHandler(scripted.model, options);
  return {
    ...scripted,
    handler,
    post: async (path, body, init) => answerOf(await handler(postOf(path, body, init))),
    get: async (path, init) => answerOf(await handler(new Request(`http://localhost${path}`, init))),
  };
}

export function postOf(path: string, body: object, init: RequestInit = {}): Request {
  const headers = new Headers(init.headers);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return new Request(`http://localhost${path}`, { method: "POST", body: JSON.stringify(body), ...init, headers });
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** What a stream of server-sent events carries, comments left out. */
export function eventsOf(stream: unknown): unknown[] {
  return String(stream)
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length))
    .map((data) => (data === "[DONE]" ? data : (JSON.parse(data) as unknown)));
}

export const hi = { messages: [{ role: "user", content: "Hi" }] } as const;

/** The error that a refusal brings. */
export const refusal = (param: string | null, message: RegExp | string): object => ({
  status: 400,
  body: {
    error: {
      type: "invalid_request_error",
      param,
      message: expect.stringMatching(message),
      code: expect.any(String),
    },
  },
});
