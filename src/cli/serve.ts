import { createHandler } from "../openai.ts";
import type { HandlerOptions } from "../openai.ts";
import type { ModelFlags } from "./flags.ts";
import { printable } from "./format.ts";
import type { FetchHandler, Host } from "./host.ts";
import { interruptible, UsageError } from "./host.ts";
import type { Context } from "./model.ts";
import { loadWithProgress } from "./model.ts";
import type { ModelSource } from "./sdk.ts";

export interface ServeFlags extends ModelFlags {
  port?: number;
  host?: string;
  apiKey?: readonly string[];
  /** `true`: for all origins. */
  cors?: string | true;
  name?: readonly string[];
  queue?: number;
  quiet?: boolean;
}

/** `ruminate serve`: the OpenAI-compatible server, until Ctrl-C. */
export async function serve(context: Context, source: ModelSource | undefined, flags: ServeFlags): Promise<void> {
  const { host } = context;
  const { port = 8080, host: hostname = "127.0.0.1", model: flagged } = flags;
  if (source !== undefined && flagged !== undefined) {
    throw new UsageError("the model is given twice; name it as the argument, or with --model");
  }
  const wanted = source ?? flagged;
  await interruptible(host, async (signal) => {
    const model = await loadWithProgress(context, wanted === undefined ? flags : { ...flags, model: wanted }, signal);
    try {
      const options = handlerOptions(context, flags);
      const handler = createHandler(model, options);
      const isOpen = options.apiKey === undefined;
      const guarded = isOpen && isLoopback(hostname) ? localOnly(handler) : handler;
      const listening = await host.listen(flags.quiet ? guarded : logged(guarded, host), { hostname, port });
      try {
        if (isOpen && !isLoopback(hostname)) {
          await host.stderr.write(
            `warning: whoever reaches ${printable(hostname)} may use this server; --api-key keeps others out\n`,
          );
        }
        const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
        await host.stdout.write(`listening on http://${printable(shown)}:${listening.port}/v1\n`);
        await aborted(signal);
      } finally {
        await listening.close();
      }
    } finally {
      await model.close();
    }
  });
}

function handlerOptions({ host }: Context, { apiKey, cors, name, queue }: ServeFlags): HandlerOptions {
  const { RUMINATE_API_KEY: fromEnvironment } = host.environment;
  const keys = apiKey ?? (fromEnvironment ? [fromEnvironment] : undefined);
  return {
    ...(keys ? { apiKey: keys } : {}),
    ...(cors === undefined ? {} : { cors: cors === true ? "*" : cors }),
    ...(name ? { modelId: name } : {}),
    ...(queue === undefined ? {} : { maxQueue: queue }),
    onerror: (error) => {
      const message = error instanceof Error ? error.message : String(error);
      void host.stderr.write(`error: ${printable(message)}\n`);
    },
  };
}

/** One line for each answer, as it begins. */
function logged(handler: FetchHandler, host: Host): FetchHandler {
  return async (request) => {
    const startedAt = host.now();
    const response = await handler(request);
    const milliseconds = Math.round(host.now() - startedAt);
    const line = `${request.method} ${new URL(request.url).pathname} ${response.status} ${milliseconds} ms`;
    void host.stderr.write(`${printable(line)}\n`);
    return response;
  };
}

/**
 * Refuses requests under foreign names: a page could give its own name this machine's address, and would then be as near
 * to the server as its user is.
 */
function localOnly(handler: FetchHandler): FetchHandler {
  return async (request) => {
    const { hostname } = new URL(request.url);
    if (isLoopback(hostname)) return handler(request);
    const message = `This server answers to localhost only, not to ${hostname}; with an API key it answers to every name`;
    const error = { message, type: "invalid_request_error", param: null, code: "foreign_host" };
    return Response.json({ error }, { status: 403 });
  };
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(hostname);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
