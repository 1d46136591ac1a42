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
import type { Fields } from "./fields.ts";
import { createEnvelope } from "./form.ts";
import type { Form } from "./form.ts";
import { isModel, ModelHolder } from "./model-holder.ts";
import { checkName, noModel } from "./model-names.ts";
import { readOptions } from "./options.ts";
import type { HandlerOptions, Settings } from "./options.ts";

/**
 * A loaded model as an OpenAI-compatible server: a `fetch` handler for whatever serves HTTP (Deno.serve, Bun.serve, Hono,
 * a Worker). It answers `POST /v1/chat/completions`, `/v1/completions` and `/v1/embeddings`, `GET /v1/models` and
 * `/health`; requests wait for each other, and one whose client has gone is stopped. It never throws.
 *
 * @param model Stays the caller's, who closes it. Or a function that loads one: it is called by the first request that
 *   needs the model and is let in, the others wait in the queue for the same load; and again after a load that failed (503
 *   until then) or a model that was closed, or crashed and is closed by the handler.
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
  if (typeof model !== "function" && !isModel(model)) {
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

/** Answers with the model; `leave` gives the request's place in the queue up, and is called when its run has ended. */
type Run = (served: Served, leave: () => void) => Promise<Response>;

interface Route {
  readonly method: "GET" | "POST";
  readonly answer: (request: Request) => Response | Promise<Response>;
}

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
      this.#tell(error);
      return errorResponse(asRefusal(error));
    }
  }

  #route(pathname: string): Route {
    switch (pathname) {
      case "/health":
        return { method: "GET", answer: () => this.#health() };
      case "/v1/models":
        return { method: "GET", answer: (request) => this.#allModels(request) };
      case "/v1/chat/completions":
        return { method: "POST", answer: (request) => this.#chat(request) };
      case "/v1/completions":
        return { method: "POST", answer: (request) => this.#complete(request) };
      case "/v1/embeddings":
        return { method: "POST", answer: (request) => this.#embed(request) };
    }
    const id = /^\/v1\/models\/(.+)$/.exec(pathname)?.[1];
    if (id !== undefined) return { method: "GET", answer: (request) => this.#oneModel(request, decoded(id)) };
    throw new Refusal(404, `There is no ${pathname}; docs/server.md lists what there is`, { code: "not_found" });
  }

  #health(): Response {
    return this.#death ? errorResponse(this.#death) : Response.json({ status: "ok" });
  }

  #served(model: Model): Served {
    const [first = model.info.name ?? model.info.architecture, ...others] = this.#settings.modelIds;
    return { model, names: [first, ...others] };
  }

  async #allModels(request: Request): Promise<Response> {
    return Response.json({ object: "list", data: this.#models(await this.#look(request)) });
  }

  async #oneModel(request: Request, id: string): Promise<Response> {
    const served = await this.#look(request);
    const found = this.#models(served).find((model) => model.id === id);
    if (found) return Response.json(found);
    throw noModel(id, served.names);
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

  /** The model for one who asks about it alone, which takes a place in the queue only while it loads. */
  async #look({ signal }: Request): Promise<Served> {
    const { current } = this.#holder;
    if (current) return this.#served(current);
    const leave = this.#admission.enter();
    try {
      return this.#served(await this.#holder.get(signal));
    } finally {
      leave();
    }
  }

  async #chat(request: Request): Promise<Response> {
    const body = await this.#body(request);
    const chat = readChat(body);
    const { options, includesUsage, messages } = chat;
    const { signal } = request;
    return this.#admit(request, body, async ({ model, names }, leave) => {
      const form = new ChatForm(createEnvelope("chatcmpl", names[0]), {
        includesUsage,
        withLogprobs: options.logprobs !== undefined,
      });
      const generation = model.chat(messages, { ...options, signal });
      return this.#deliver({ ...chat, form, signal, model, generation, leave });
    });
  }

  async #complete(request: Request): Promise<Response> {
    const body = await this.#body(request);
    const completion = readCompletion(body);
    const { options, includesUsage, prompt } = completion;
    const { signal } = request;
    return this.#admit(request, body, async ({ model, names }, leave) => {
      const form = new CompletionForm(createEnvelope("cmpl", names[0]), {
        includesUsage,
        withLogprobs: options.logprobs !== undefined,
      });
      const generation = model.generate(prompt, { ...options, signal });
      return this.#deliver({ ...completion, form, signal, model, generation, leave });
    });
  }

  async #embed(request: Request): Promise<Response> {
    const body = await this.#body(request);
    const wanted = readEmbeddings(body);
    const { signal } = request;
    return this.#admit(request, body, async ({ model, names }, leave) => {
      const answer = await embed(model, wanted, { name: names[0], signal });
      leave();
      return Response.json(answer);
    });
  }

  /** @throws {Refusal} 404 if another model is asked for, and it is known by now what this one is called */
  async #body(request: Request): Promise<Fields> {
    const body = await readJson(request, this.#settings.maxBodyBytes);
    const { current } = this.#holder;
    checkName(body, current ? this.#served(current).names : this.#settings.modelIds);
    return body;
  }

  /**
   * Lets a request in that has nothing wrong which is seen without the model, and has it answered once the model is there.
   *
   * @throws {Refusal} 429 if too many are inside, 503 if the model could not be loaded, 404 if another is asked for
   * @throws what `run` throws
   */
  async #admit({ signal }: Request, body: Fields, run: Run): Promise<Response> {
    const leaveQueue = this.#admission.enter();
    let model: Model | undefined;
    let leave = leaveQueue;
    try {
      model = await this.#holder.get(signal);
      const endRun = this.#holder.use(model);
      leave = () => {
        leaveQueue();
        endRun();
      };
      const served = this.#served(model);
      checkName(body, served.names);
      return await run(served, leave);
    } catch (error) {
      leave();
      if (model) this.#forgetDead(error, model);
      throw error;
    }
  }

  #deliver({
    isStreamed,
    leave,
    signal,
    model,
    ...run
  }: Delivery & {
    generation: Generation;
    form: Form;
    leave: () => void;
    signal: AbortSignal;
    model: Model;
  }): Promise<Response> {
    const deliver = isStreamed ? deliverStream : deliverWhole;
    return deliver({
      ...run,
      onend: leave,
      onerror: (error) => {
        this.#forgetDead(error, model);
        if (!signal.aborted) this.#tell(error);
      },
    });
  }

  #forgetDead(error: unknown, model: Model): void {
    const isDead = InferenceError.is(error, "closed") || InferenceError.is(error, "crashed");
    if (isDead && !this.#holder.replace(model)) this.#death ??= asRefusal(error);
  }

  #tell(error: unknown): void {
    const { status, code } = asRefusal(error);
    // Why there is no model was told once for all who waited.
    if (status >= 500 && code !== "model_not_loaded") this.#settings.onerror(error);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
