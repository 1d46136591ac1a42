import { Refusal } from "./errors.ts";
import { isRecord } from "./fields.ts";
import type { Fields } from "./fields.ts";

/**
 * The JSON object that a request brings.
 *
 * @throws {Refusal} 415 if it says to be something else, 413 if it is too large, 400 if it is not an object
 */
export async function readJson(request: Request, maxBytes: number): Promise<Fields> {
  // A page of a foreign site may send other types without asking first, and would keep the model busy.
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type.trim())) {
    throw new Refusal(415, `The body must be JSON: send content-type: application/json, not ${JSON.stringify(type)}`);
  }
  const text = await readText(request, maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      code: "invalid_json",
    });
  }
  if (isRecord(value)) return value;
  throw new Refusal(400, "The body must be a JSON object", { code: "invalid_json" });
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = (): Refusal =>
    new Refusal(413, `The body is too large: at most ${maxBytes} bytes are read`, { code: "body_too_large" });
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  // Firefox's requests have no `body`: there it is read whole before it is measured.
  const { body }: { readonly body?: Request["body"] } = request;
  if (body === null) return "";
  const reader = (body ?? (await request.blob()).stream()).getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      // Not waited for: a source may never answer.
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}
