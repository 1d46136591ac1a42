// Which server answers, and what it says about its model.
import { InferenceError } from "../../errors.ts";
import { isRecord, RemoteRefusal, request } from "./http.ts";
import type { RemoteAddress } from "./http.ts";

/** Servers whose own options are known; all others get OpenAI's alone. */
export type ServerKind = "llama-server" | "vllm" | "sglang" | "other";

export interface RemoteServer {
  readonly kind: ServerKind;
  /** The model's name, as requests give it. */
  readonly model: string;
  /** Tokens of its context; undefined: it does not say. */
  readonly contextSize: number | undefined;
  /** Its chat template, where it tells that. */
  readonly template: string | undefined;
}

/**
 * Asks a server what it is.
 *
 * @param wanted The model's name; undefined: the first that it lists.
 * @throws {InferenceError} `network` if it can't be reached or wants a key; `unsupported` if it has no such model
 */
export async function exploreServer(
  address: RemoteAddress,
  { model: wanted, signal }: { model: string | undefined; signal?: AbortSignal | undefined },
): Promise<RemoteServer> {
  const list = await models(address, signal);
  const entry = wanted === undefined ? list[0] : list.find(({ id }) => id === wanted);
  // A server may take names that it does not list.
  const model = entry?.id ?? wanted;
  if (typeof model !== "string") {
    throw new InferenceError(
      "unsupported",
      `Cannot use the server at ${address.base.href}: it lists no model; name one as \`model\``,
    );
  }
  // They stand beside /v1, not below it.
  const props = await optional({ ...address, base: new URL("../", address.base) }, "props", signal);
  if (props && isRecord(props["default_generation_settings"])) {
    const template = props["chat_template"];
    return {
      kind: "llama-server",
      model,
      contextSize: positive(props["default_generation_settings"]["n_ctx"]),
      template: typeof template === "string" && template !== "" ? template : undefined,
    };
  }
  const owner = entry?.["owned_by"];
  return {
    kind: owner === "vllm" || owner === "sglang" ? owner : "other",
    model,
    contextSize: positive(entry?.["max_model_len"]),
    template: undefined,
  };
}

async function models(
  address: RemoteAddress,
  signal: AbortSignal | undefined,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  try {
    const response = await request(address, { path: "models", signal });
    const answer: unknown = await response.json();
    return isRecord(answer) && Array.isArray(answer["data"]) ? answer["data"].filter(isRecord) : [];
  } catch (error) {
    signal?.throwIfAborted();
    if (InferenceError.is(error)) throw error;
    if (error instanceof RemoteRefusal && (error.status === 401 || error.status === 403)) {
      throw new InferenceError(
        "network",
        `Cannot use the server at ${address.base.href}: it answered ${error.status}; give its key as \`apiKey\``,
        { cause: error, details: { status: error.status } },
      );
    }
    // It lists none; that is no reason not to ask it for a completion.
    return [];
  }
}

async function optional(
  address: RemoteAddress,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const answer: unknown = await (await request(address, { path, signal })).json();
    return isRecord(answer) ? answer : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
