import type { Generation, Model } from "../index.ts";
import { InferenceError } from "../index.ts";
import { allowOrigin, checkKey, preflight } from "./access.ts";
import { Admission } from "./admission.ts";
import { readJson } from "./body.ts";
import { ChatForm } from "./chat-form.ts";
import { readChat } from "./chat-request.ts";
import type { Delivery } from "./chat-request.ts";
import { CompletionForm } from "./completion-form.ts";
import { readCompletion } from "./completion-request.ts";
import { deliverStream, deliverWhole } from "./deliver.ts";
import { embed, readEmbeddings } from "./embeddings.ts";
import { asRefusal, errorResponse, Refusal } from "./errors.ts";
import { optionalText } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { createEnvelope } from "./form.ts";
import type { Form } from "./form.ts";
import { readOptions } from "./options.ts";
import type { HandlerOptions, Settings } from "./options.ts";

/**
 * A loaded model as an OpenAI-compatible server: a `fetch` handler for whatever serves HTTP (Deno.serve, Bun.serve, Hono,
 * a Worker). It answers `POST /v1/chat/completions`, `/v1/completions` and `/v1/embeddings`, `GET /v1/models` and
 * `/health`; requests wait for each other, and one whose client has gone is stopped. It never throws.
 *
 * @param model Stays the caller's, who closes it.
 * @returns The handler; errors come in OpenAI's shape, `{ error: { message, type, param, code } }`.
 * @throws {TypeError | RangeError} if an option is not of its kind
 *
 * @example
 * ```ts
 * const handler = createHandler(await loadModel("model.gguf"), { apiKey: "secret" });
 * const response = await handler(new Request("http://localhost/v1/models", { headers: { authorization: "Bearer secret" } }));
 * console.log(await response.json());
 * ```
 */
export function createHandler(model: Model, options: HandlerOptions = {}): (request: Request) => Promise<Response> {
  const { info } = model;
  const service = new Service(model, readOptions(options, info.name ?? info.architecture));
  return (request) => service.fetch(request);
}

interface Route {
  readonly method: "GET" | "POST";
  readonly answer: (request: Request) => Response | Promise<Response>;
}

class Service {
  readonly #model: Model;
  readonly #settings: Settings;
  readonly #admission: Admission;
  readonly #created: number = Math.floor(Date.now() / 1000);
  /** What the model died of. */
  #death: Refusal | undefined;

  constructor(model: Model, settings: Settings) {
    this.#model = model;
    this.#settings = settings;
    this.#admission = new Admission(settings.maxQueue);
  }

  async fetch(request: Request): Promise<Response> {
    const { cors } = this.#settings;
    return allowOrigin(preflight(request, cors) ?? (await this.#answer(request)), cors);
  }

  async #answer(request: Request): Promise<Response> {
    try {
      const { pathname } = new URL(request.url);
      // A balancer that asks whether the server lives has no key.
      if (pathname !== "/health") await checkKey(request, this.#settings.apiKeys);
      const route = this.#route(pathname);
      // As everywhere, HEAD is GET without the body.
      const isHead = request.method === "HEAD" && route.method === "GET";
      if (!isHead && request.method !== route.method) {
        const allow = route.method === "GET" ? "GET, HEAD" : "POST";
        throw new Refusal(405, `${request.method} ${pathname} is not possible; use ${allow}`, {
          code: "method_not_allowed",
          headers: { allow },
        });
      }
      const response = await route.answer(request);
      return isHead ? new Response(null, response) : response;
    } catch (error) {
      // Nobody reads it: the client has gone.
      if (request.signal.aborted) return new Response(null, { status: 499 });
      this.#note(error);
      return errorResponse(asRefusal(error));
    }
  }

  #route(pathname: string): Route {
    switch (pathname) {
      case "/health":
        return { method: "GET", answer: () => this.#health() };
      case "/v1/models":
        return { method: "GET", answer: () => Response.json({ object: "list", data: this.#models() }) };
      case "/v1/chat/completions":
        return { method: "POST", answer: (request) => this.#chat(request) };
      case "/v1/completions":
        return { method: "POST", answer: (request) => this.#complete(request) };
      case "/v1/embeddings":
        return { method: "POST", answer: (request) => this.#embed(request) };
    }
    const id = /^\/v1\/models\/(.+)$/.exec(pathname)?.[1];
    if (id !== undefined) return { method: "GET", answer: () => this.#oneModel(id) };
    throw new Refusal(404, `There is no ${pathname}; docs/server.md lists what there is`, { code: "not_found" });
  }

  #health(): Response {
    return this.#death ? errorResponse(this.#death) : Response.json({ status: "ok" });
  }

  #models(): { id: string }[] {
    return this.#settings.modelIds.map((id) => ({
      id,
      object: "model",
      created: this.#created,
      owned_by: "ruminate",
      // As vLLM has it: tokens of its context.
      max_model_len: this.#model.info.contextTrained,
    }));
  }

  #oneModel(encoded: string): Response {
    const found = this.#models().find(({ id }) => id === decoded(encoded));
    if (found) return Response.json(found);
    throw this.#noModel(decoded(encoded));
  }

  #noModel(name: string): Refusal {
    const names = this.#settings.modelIds.join(", ");
    return new Refusal(404, `There is no model ${JSON.stringify(name)} here, only ${names}`, {
      param: "model",
      code: "model_not_found",
    });
  }

  async #chat(request: Request): Promise<Response> {
    const body = await this.#body(request);
    const chat = readChat(body);
    const { options, includesUsage, messages } = chat;
    const form = new ChatForm(createEnvelope("chatcmpl", this.#settings.modelIds[0]), {
      includesUsage,
      withLogprobs: options.logprobs !== undefined,
    });
    const { signal } = request;
    return this.#run({ ...chat, form, signal }, () => this.#model.chat(messages, { ...options, signal }));
  }

  async #complete(request: Request): Promise<Response> {
    const body = await this.#body(request);
    const completion = readCompletion(body);
    const { options, includesUsage, prompt } = completion;
    const form = new CompletionForm(createEnvelope("cmpl", this.#settings.modelIds[0]), {
      includesUsage,
      withLogprobs: options.logprobs !== undefined,
    });
    const { signal } = request;
    return this.#run({ ...completion, form, signal }, () => this.#model.generate(prompt, { ...options, signal }));
  }

  async #embed(request: Request): Promise<Response> {
    const wanted = readEmbeddings(await this.#body(request));
    const leave = this.#admission.enter();
    try {
      const { signal } = request;
      return Response.json(await embed(this.#model, wanted, { name: this.#settings.modelIds[0], signal }));
    } finally {
      leave();
    }
  }

  /** @throws {Refusal} 404 if another model is asked for */
  async #body(request: Request): Promise<Fields> {
    const body = await readJson(request, this.#settings.maxBodyBytes);
    const name = optionalText(body["model"], "model");
    if (name !== undefined && !this.#settings.modelIds.includes(name)) throw this.#noModel(name);
    return body;
  }

  async #run(
    { isStreamed, form, signal }: Delivery & { form: Form; signal: AbortSignal },
    start: () => Generation,
  ): Promise<Response> {
    const leave = this.#admission.enter();
    let generation: Generation;
    try {
      generation = start();
    } catch (error) {
      leave();
      throw error;
    }
    const deliver = isStreamed ? deliverStream : deliverWhole;
    return deliver({
      generation,
      form,
      onend: leave,
      onerror: (error) => {
        if (!signal.aborted) this.#note(error);
      },
    });
  }

  #note(error: unknown): void {
    const refusal = asRefusal(error);
    if (InferenceError.is(error, "closed") || InferenceError.is(error, "crashed")) this.#death ??= refusal;
    if (refusal.status >= 500) this.#settings.onerror(error);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
