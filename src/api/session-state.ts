import type { Message } from "../contract.ts";
import { InferenceError } from "../errors.ts";

/** What a session is beside its KV cache. */
interface Conversation {
  readonly messages: readonly Message[];
  /** Tokens. */
  readonly contextUsage: number;
}

const magic = "ruminate-session-1\n";
const lengthBytes = 4;
const type = "application/x-ruminate-session";

/** A session as a file: a line that names the format, the length of the conversation, that as JSON, and the engine's state. */
export function packSession(conversation: Conversation, state: Uint8Array<ArrayBuffer>): Blob {
  const json = new TextEncoder().encode(JSON.stringify(conversation));
  const length = new Uint8Array(lengthBytes);
  new DataView(length.buffer).setUint32(0, json.length, true);
  return new Blob([magic, length, json, state], { type });
}

/**
 * Takes apart what {@link packSession} made.
 *
 * @throws {TypeError} if it is no Blob
 * @throws {InferenceError} `format`
 */
export async function unpackSession(
  file: Blob,
): Promise<{ readonly conversation: Conversation; readonly state: Uint8Array<ArrayBuffer> }> {
  if (!(file instanceof Blob)) throw new TypeError("The state must be a Blob that save() gave");
  const head = new Uint8Array(await file.slice(0, magic.length + lengthBytes).arrayBuffer());
  if (new TextDecoder().decode(head.subarray(0, magic.length)) !== magic || head.length < magic.length + lengthBytes) {
    throw broken("it does not begin as one");
  }
  const start = magic.length + lengthBytes;
  const end = start + new DataView(head.buffer).getUint32(magic.length, true);
  try {
    const conversation: Partial<Conversation> = JSON.parse(await file.slice(start, end).text());
    const { messages, contextUsage } = conversation;
    if (!Array.isArray(messages) || typeof contextUsage !== "number") throw new Error("no messages are in it");
    return { conversation: { messages, contextUsage }, state: new Uint8Array(await file.slice(end).arrayBuffer()) };
  } catch (cause) {
    throw broken("its conversation can't be read", cause);
  }
}

function broken(why: string, cause?: unknown): InferenceError {
  return new InferenceError("format", `Cannot restore a session: ${why}; a Blob that save() gave is wanted`, { cause });
}
