// A server with one file whose manners each fault changes, and that counts what it sent.
import type { ServerResponse } from "node:http";
import type { FileServer, Served } from "../../file-server.ts";
import { sendFile, serve } from "../../file-server.ts";

export interface Faults {
  bytes: Uint8Array;
  etag?: string;
  ranges?: boolean;
  /** Answers a request by itself; false: as usual. `index` counts from 0. */
  instead?: (request: Served, response: ServerResponse, index: number) => boolean | Promise<boolean>;
}

/** Serves the file, which a test may change on the way. */
export function serveFaults(faults: Faults): Promise<FileServer> {
  let count = 0;
  return serve(async (request, response) => {
    if (await faults.instead?.(request, response, count++)) return;
    const { bytes, etag = '"one"', ranges = true } = faults;
    await sendFile(request, response, { bytes, ranges, headers: etag === "" ? {} : { etag } });
  });
}

/** Sends the answer to a range, but breaks the connection after so many bytes of it. */
export async function sendCut(
  request: Served,
  response: ServerResponse,
  { bytes, length, etag = '"one"' }: { bytes: Uint8Array; length: number; etag?: string },
): Promise<true> {
  const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.range ?? "") ?? [];
  const start = Number(from);
  const end = to ? Math.min(Number(to), bytes.byteLength - 1) : bytes.byteLength - 1;
  response.writeHead(206, {
    "content-range": `bytes ${start}-${end}/${bytes.byteLength}`,
    "content-length": end - start + 1,
    etag,
  });
  const piece = bytes.subarray(start, Math.min(start + length, end + 1));
  request.sent += piece.byteLength;
  if (piece.byteLength === 0) response.flushHeaders();
  else await new Promise<void>((resolve) => response.write(piece, () => resolve()));
  // What was handed over is to arrive before the break.
  await new Promise((resolve) => setTimeout(resolve, 30));
  response.destroy();
  return true;
}

/** Bytes of all bodies so far. */
export function served(server: FileServer): number {
  return server.requests.reduce((sum, { sent }) => sum + sent, 0);
}
