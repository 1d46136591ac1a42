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
import { asRefusal, errorResponse, notLoaded, Refusal } from "./errors.ts";
import { optionalText } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { createEnvelope } from "./form.ts";
import type { Form } from "./form.ts";
import { ModelHolder } from "./model-holder.ts";
import { readOptions } from "./options.ts";
import type { HandlerOptions, Settings } from "./options.ts";

/**
 * A loaded model as an OpenAI-compatible server: a `fetch` handler for whatever serves HTTP (Deno.serve, Bun.serve, Hono,
 * a Worker). It answers `POST /v1/chat/completions`, `/v1/completions` and `/v1/embeddings`, `GET /v1/models` and
 * `/health`; requests wait for each other, and one whose client has gone is stopped. It never throws.
 *
 * @param model Stays the caller's, who closes it. Or a function that loads one: it is called by the first request that
 *   needs the model and is let in by its key, the others wait for the same load; and again after a load that failed (503
 *   until then) or a model that crashed or was closed.
 * @returns The handler; errors come in OpenAI's shape, `{ error: { message, type, param, code } }`.
 * @throws {TypeError | RangeError} if the model is neither, or an option is not of its kind
 *
 * @example
 * ```ts
 * const handler = createHandler(await loadModel("model.gguf"), { apiKey: "secret" });
 * const response = await handler(new Request("http://localhost/v1/models", { headers: { authorization: "Bearer secret" } }));
 * console.log(await response.json());
 * ```
 */
export function createHandler(
  model: Model | (() => Model | Promise<Model>),
  options: HandlerOptions = {},
): (request: Request) => Promise<Response> {
  if (typeof model !== "function" && typeof model?.chat !== "function") {
    throw new TypeError("createHandler() wants a loaded model, or a function that loads one: () => loadModel(source)");
  }
  const service = new Service(model, readOptions(options));
  return (request) => service.fetch(request);
}

/** The model, with the names that requests may ask for. */
interface Served {
  readonly model: Model;
  readonly names: readonly [string, ...string[]];
}

type Route =
  | { readonly method: "GET"; readonly health: true }
  | {
      readonly method: "GET" | "POST";
      readonly health?: never;
      readonly answer: (request: Request, served: Served) => Response | Promise<Response>;
    };

class Service {
  readonly #holder: ModelHolder;
  readonly #settings: Settings;
  readonly #admission: Admission;
  /** In seconds; undefined: nobody asked yet. While a Worker's script starts, its clock stands at 0. */
  #created: number | undefined;
  /** What the model died of, if there can be no other. */
  #death: Refusal | undefined;

  constructor(model: Model | (() => Model | Promise<Model>), settings: Settings) {
    this.#holder = new ModelHolder(model, settings.onerror);
    this.#settings = settings;
    this.#admission = new Admission(settings.maxQueue);
  }

  async fetch(request: Request): Promise<Response> {
    const { cors } = this.#settings;
    return allowOrigin(preflight(request, cors) ?? (await this.#answer(request)), cors);
  }

  async #answer(request: Request): Promise<Response> {
    let model: Model | undefined;
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
      let response: Response;
      if (route.health) response = this.#health();
      else {
        model = await this.#holder.get();
        request.signal.throwIfAborted();
        response = model ? await route.answer(request, this.#served(model)) : errorResponse(notLoaded());
      }
      return isHead ? new Response(null, response) : response;
    } catch (error) {
      // Nobody reads it: the client has gone.
      if (request.signal.aborted) return new Response(null, { status: 499 });
      this.#note(error, model);
      return errorResponse(asRefusal(error));
    }
  }

  #route(pathname: string): Route {
    switch (pathname) {
      case "/health":
        return { method: "GET", health: true };
      case "/v1/models":
        return { method: "GET", answer: (_, served) => Response.json({ object: "list", data: this.#models(served) }) };
      case "/v1/chat/completions":
        return { method: "POST", answer: (request, served) => this.#chat(request, served) };
      case "/v1/completions":
        return { method: "POST", answer: (request, served) => this.#complete(request, served) };
      case "/v1/embeddings":
        return { method: "POST", answer: (request, served) => this.#embed(request, served) };
    }
    const id = /^\/v1\/models\/(.+)$/.exec(pathname)?.[1];
    if (id !== undefined) return { method: "GET", answer: (_, served) => this.#oneModel(id, served) };
    throw new Refusal(404, `There is no ${pathname}; docs/server.md lists what there is`, { code: "not_found" });
  }

  #health(): Response {
    return this.#death ? errorResponse(this.#death) : Response.json({ status: "ok" });
  }

  #served(model: Model): Served {
    const [first = model.info.name ?? model.info.architecture, ...others] = this.#settings.modelIds;
    return { model, names: [first, ...others] };
  }

  #models({ model, names }: Served): { id: string }[] {
    const created = (this.#created ??= Math.floor(Date.now() / 1000));
    return names.map((id) => ({
      id,
      object: "model",
      created,
      owned_by: "ruminate",
      // As vLLM has it: tokens of its context.
      max_model_len: model.info.contextTrained,
    }));
  }

  #oneModel(encoded: string, served: Served): Response {
    const found = this.#models(served).find(({ id }) => id === decoded(encoded));
    if (found) return Response.json(found);
    throw noModel(decoded(encoded), served);
  }

  async #chat(request: Request, served: Served): Promise<Response> {
    const body = await this.#body(request, served);
    const chat = readChat(body);
    const { options, includesUsage, messages } = chat;
    const form = new ChatForm(createEnvelope("chatcmpl", served.names[0]), {
      includesUsage,
      withLogprobs: options.logprobs !== undefined,
    });
    const { signal } = request;
    return this.#run({ ...chat, form, signal, model: served.model }, () =>
      served.model.chat(messages, { ...options, signal }),
    );
  }

  async #complete(request: Request, served: Served): Promise<Response> {
    const body = await this.#body(request, served);
    const completion = readCompletion(body);
    const { options, includesUsage, prompt } = completion;
    const form = new CompletionForm(createEnvelope("cmpl", served.names[0]), {
      includesUsage,
      withLogprobs: options.logprobs !== undefined,
    });
    const { signal } = request;
    return this.#run({ ...completion, form, signal, model: served.model }, () =>
      served.model.generate(prompt, { ...options, signal }),
    );
  }

  async #embed(request: Request, served: Served): Promise<Response> {
    const wanted = readEmbeddings(await this.#body(request, served));
    const leave = this.#admission.enter();
    try {
      const { signal } = request;
      return Response.json(await embed(served.model, wanted, { name: served.names[0], signal }));
    } finally {
      leave();
    }
  }

  /** @throws {Refusal} 404 if another model is asked for */
  async #body(request: Request, served: Served): Promise<Fields> {
    const body = await readJson(request, this.#settings.maxBodyBytes);
    const name = optionalText(body["model"], "model");
    if (name !== undefined && !served.names.includes(name)) throw noModel(name, served);
    return body;
  }

  async #run(
    { isStreamed, form, signal, model }: Delivery & { form: Form; signal: AbortSignal; model: Model },
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
        if (!signal.aborted) this.#note(error, model);
      },
    });
  }

  #note(error: unknown, model: Model | undefined): void {
    const refusal = asRefusal(error);
    const isDead = InferenceError.is(error, "closed") || InferenceError.is(error, "crashed");
    if (isDead && model && !this.#holder.replace(model)) this.#death ??= refusal;
    if (refusal.status >= 500) this.#settings.onerror(error);
  }
}

function noModel(name: string, { names }: Served): Refusal {
  return new Refusal(404, `There is no model ${JSON.stringify(name)} here, only ${names.join(", ")}`, {
    param: "model",
    code: "model_not_found",
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
