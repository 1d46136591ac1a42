// A fetch handler behind node:http, which Node, Deno and Bun all have.
import type { Address, FetchHandler, Listening } from "./host.ts";

// What is used of node:http; its types are not among this project's.
interface Incoming {
  readonly method?: string;
  readonly url?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  on(event: "data", listener: (chunk: Uint8Array<ArrayBuffer>) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}
interface Outgoing {
  readonly writableFinished: boolean;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  once(event: "drain", listener: () => void): unknown;
  on(event: "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}
interface Server {
  listen(at: { port: number; host: string }, listener: () => void): unknown;
  address(): { readonly port: number } | string | null;
  close(done: () => void): unknown;
  closeAllConnections(): void;
  on(event: "error", listener: (error: Error & { readonly code?: string }) => void): unknown;
}
export interface HttpModule {
  createServer(listener: (message: Incoming, response: Outgoing) => void): Server;
}

/** @throws {Error} if the address can't be had */
export function listen(http: HttpModule, handler: FetchHandler, { hostname, port }: Address): Promise<Listening> {
  const { promise, resolve, reject } = Promise.withResolvers<Listening>();
  const running = new Set<AbortController>();
  const server = http.createServer((message, response) => {
    const gone = new AbortController();
    running.add(gone);
    const host = message.headers["host"] ?? (hostname.includes(":") ? `[${hostname}]` : hostname);
    // Where it fails, it has not begun to answer, or can't go on: all that is left is to hang up.
    void answer(handler, { message, response, gone, origin: `http://${String(host)}` })
      .catch(() => void response.destroy())
      .finally(() => running.delete(gone));
  });
  server.on("error", (cause) => {
    const why = cause.code === "EADDRINUSE" ? "the port is in use; take another with --port" : cause.message;
    reject(new Error(`Cannot listen on ${hostname}:${port}: ${why}`, { cause }));
  });
  server.listen({ port, host: hostname }, () => {
    const address = server.address();
    resolve({
      port: typeof address === "object" && address ? address.port : port,
      close: () =>
        new Promise((done) => {
          server.close(() => done());
          for (const gone of running) gone.abort(clientGone());
          server.closeAllConnections();
        }),
    });
  });
  return promise;
}

interface Exchange {
  readonly message: Incoming;
  readonly response: Outgoing;
  readonly gone: AbortController;
  readonly origin: string;
}

async function answer(handler: FetchHandler, { message, response, gone, origin }: Exchange): Promise<void> {
  // Writing to somebody who has gone is no error of ours.
  response.on("error", () => {});
  response.on("close", () => {
    if (!response.writableFinished) gone.abort(clientGone());
  });
  const request = toRequest(message, origin, gone);
  const { status, headers, body } = request ? await handler(request) : new Response(null, { status: 400 });
  if (gone.signal.aborted) {
    await body?.cancel();
    return;
  }
  response.writeHead(status, Object.fromEntries(headers));
  if (body) await send(body, response, gone.signal);
  response.end();
  // What nobody read of the request would block the next one on this connection.
  message.resume();
}

/** Undefined if it is not one that a URL and headers can hold. */
function toRequest(message: Incoming, origin: string, gone: AbortController): Request | undefined {
  const { method = "GET", url = "/" } = message;
  // Without a path it is meant for proxies.
  if (!url.startsWith("/") || !URL.canParse(origin + url)) return undefined;
  const headers: [string, string][] = Object.entries(message.headers).map(([name, value]) => [
    name,
    typeof value === "object" ? value.join(", ") : (value ?? ""),
  ]);
  const hasBody = method !== "GET" && method !== "HEAD";
  // Node wants to hear that the answer may begin while the body still comes.
  const body = hasBody ? { body: bodyOf(message, gone), duplex: "half" } : {};
  const init = { method, headers, signal: gone.signal, ...body };
  try {
    return new Request(origin + url, init);
  } catch {
    return undefined;
  }
}

/** The body as it is read: no faster, and not at all if nobody does. */
function bodyOf(message: Incoming, gone: AbortController): ReadableStream<Uint8Array> {
  let isStarted = false;
  let isOver = false;
  const once = (end: () => void): void => {
    if (!isOver) end();
    isOver = true;
  };
  return new ReadableStream(
    {
      pull(controller) {
        if (!isStarted) {
          isStarted = true;
          message.on("data", (chunk) => {
            if (isOver) return;
            controller.enqueue(new Uint8Array(chunk));
            message.pause();
          });
          message.on("end", () => once(() => controller.close()));
          // The signal first, so that whoever reads knows why it broke off.
          const breakOff = (reason: Error): void => {
            gone.abort(reason);
            controller.error(reason);
          };
          message.on("error", (error) => once(() => breakOff(error)));
          message.on("close", () => once(() => breakOff(clientGone())));
        }
        message.resume();
      },
      cancel() {
        isOver = true;
      },
    },
    { highWaterMark: 0 },
  );
}

/** Sends a body as fast as it is taken, and leaves it when nobody takes it any more. */
async function send(body: ReadableStream<Uint8Array>, response: Outgoing, gone: AbortSignal): Promise<void> {
  const reader = body.getReader();
  let wake: () => void = () => {};
  const leave = (): void => {
    wake();
    reader.cancel(gone.reason).catch(() => {});
  };
  gone.addEventListener("abort", leave, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone.aborted) return;
      if (response.write(value)) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        response.once("drain", resolve);
      });
    }
  } finally {
    gone.removeEventListener("abort", leave);
  }
}

function clientGone(): DOMException {
  return new DOMException("The client has gone", "AbortError");
}
