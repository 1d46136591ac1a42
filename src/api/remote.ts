import type { RemoteAddress } from "../engine/remote/http.ts";
import type { EngineFactory } from "./contract.ts";

/** Where a completion server is, and what it serves. */
export interface RemoteOptions {
  /** Of the API, such as `http://localhost:8080/v1`: `/completions` is below it. */
  baseURL: string | URL;
  /** The model's name on the server; default: the first that it lists. */
  model?: string;
  /** Sent as a bearer token. */
  apiKey?: string;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch;
  /** The chat template (jinja), before that of the GGUF and that of the server. */
  template?: string;
}

/** What {@link remote} makes. */
export class RemoteFactory implements EngineFactory {
  readonly kind: string = "remote";
  readonly address: RemoteAddress;
  readonly model: string | undefined;
  readonly template: string | undefined;

  constructor({ baseURL, model, apiKey, fetch = globalThis.fetch, template }: RemoteOptions) {
    const base = new URL(baseURL);
    if (!/^https?:$/.test(base.protocol)) {
      throw new TypeError(`baseURL is ${base.href}; an http or https address is wanted`);
    }
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    this.address = { base, apiKey, fetch: (...args) => fetch(...args) };
    this.model = model;
    this.template = template;
  }
}

/**
 * An engine behind a server of /v1/completions: vLLM, SGLang, llama-server, or `ruminate serve`. Thoughts, budgets, splitting
 * and pruning work as with every engine. With `loadModel(gguf, { engine: remote(…) })` the GGUF's header alone is read, for
 * its template and its special tokens; without a source both are the server's and a guess.
 *
 * @throws {TypeError} if `baseURL` is not an http address
 *
 * @example
 * ```ts
 * await using model = await loadModel(undefined, { engine: remote({ baseURL: "http://localhost:8080/v1" }) });
 * ```
 */
export function remote(options: RemoteOptions): EngineFactory {
  return new RemoteFactory(options);
}
