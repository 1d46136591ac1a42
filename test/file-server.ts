// A local HTTP server whose manners each test sets, and that tells what it was asked and how much it sent.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Served {
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage["headers"];
  /** Bytes of body handed to the socket so far. */
  sent: number;
  /** Resolves when the response ended or its connection broke: true if all was sent. */
  readonly finished: Promise<boolean>;
}

export interface FileServer extends AsyncDisposable {
  readonly base: string;
  readonly requests: readonly Served[];
}

export type Manners = (request: Served, response: ServerResponse) => void | Promise<void>;

/** Starts a server on a free port. */
export async function serve(manners: Manners): Promise<FileServer> {
  const requests: Served[] = [];
  const server = createServer((request, response) => {
    const served: Served = {
      path: request.url ?? "",
      range: request.headers.range,
      headers: request.headers,
      sent: 0,
      finished: new Promise((resolve) => response.on("close", () => resolve(response.writableFinished))),
    };
    requests.push(served);
    void Promise.resolve(manners(served, response)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on TCP, so it has a port.
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends in pieces, and only as fast as they are taken. */
export async function sendSlowly(served: Served, response: ServerResponse, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !response.destroyed; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536);
    const flowing = response.write(piece);
    served.sent += piece.byteLength;
    if (!flowing) {
      const drained = new Promise((resolve) => response.once("drain", resolve));
      await Promise.race([drained, served.finished]);
    }
  }
  response.end();
}

/** Answers with a file, by range where one is asked for. */
export async function sendFile(
  served: Served,
  response: ServerResponse,
  options: { bytes: Uint8Array; ranges?: boolean; headers?: Readonly<Record<string, string>> },
): Promise<void> {
  const { bytes, ranges = true, headers = {} } = options;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(served.range ?? "") ?? [];
  if (!ranges || from === undefined) {
    response.writeHead(200, { "content-length": bytes.byteLength, ...headers });
    return sendSlowly(served, response, bytes);
  }
  const start = Number(from);
  const end = Math.min(to ? Number(to) : Infinity, bytes.byteLength - 1);
  response.writeHead(206, {
    "content-range": `bytes ${start}-${end}/${bytes.byteLength}`,
    "content-length": end - start + 1,
    ...headers,
  });
  return sendSlowly(served, response, bytes.subarray(start, end + 1));
}
