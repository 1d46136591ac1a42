// Who may call: keys, and pages of other origins.
import { Refusal } from "./errors.ts";

/**
 * Checks the key that a request brings. Digests are compared, all of them and to their ends, so that the time it takes
 * tells nothing of a key.
 *
 * @throws {Refusal} 401
 */
export async function checkKey(request: Request, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const [, given] = /^Bearer +(.+)$/i.exec(request.headers.get("authorization")?.trim() ?? "") ?? [];
  const wanted = await Promise.all(keys.map(digest));
  const shown = await digest(given ?? "");
  const matches = wanted.map((key) => isSame(key, shown)).filter(Boolean);
  if (given !== undefined && matches.length > 0) return;
  const message =
    given === undefined
      ? "There is no API key: send Authorization: Bearer with one"
      : "The API key is wrong: this server has another";
  throw new Refusal(401, message, { code: "invalid_api_key", headers: { "www-authenticate": "Bearer" } });
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** The answer to a browser that asks whether a page may send a request; undefined if it is not such a question. */
export function preflight(request: Request, cors: string | undefined): Response | undefined {
  const { headers } = request;
  if (cors === undefined || request.method !== "OPTIONS" || !headers.has("access-control-request-method"))
    return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST",
      // OpenAI's client adds headers of its own, other ones in each version.
      "access-control-allow-headers": headers.get("access-control-request-headers") ?? "authorization, content-type",
      "access-control-max-age": "86400",
    },
  });
}

/** Adds what lets a page of the allowed origin read the answer. */
export function allowOrigin(response: Response, cors: string | undefined): Response {
  if (cors === undefined) return response;
  response.headers.set("access-control-allow-origin", cors);
  response.headers.set("access-control-expose-headers", "retry-after");
  if (cors !== "*") response.headers.append("vary", "origin");
  return response;
}
