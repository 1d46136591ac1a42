import { InferenceError } from "../errors.ts";
import type { LlamaSequence } from "./llama-sequence.ts";

type State = ReturnType<LlamaSequence["save"]>;

const magic = "ruminate-state-1";
const lengthBytes = 4;

/** A state as bytes: a line that names the format, the length of a JSON header, that header, and the KV cache. */
export function packState({ tokens, units, state }: State, fingerprint: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(magic);
  const header = new TextEncoder().encode(JSON.stringify({ fingerprint, tokens, units }));
  const start = name.length + lengthBytes;
  const bytes = new Uint8Array(start + header.length + state.length);
  bytes.set(name);
  new DataView(bytes.buffer).setUint32(name.length, header.length, true);
  bytes.set(header, start);
  bytes.set(state, start + header.length);
  return bytes;
}

/** @throws {InferenceError} `format` if it is no state, or not one of this model in this context */
export function unpackState(bytes: Uint8Array, fingerprint: string): State {
  const name = new TextDecoder().decode(bytes.subarray(0, magic.length));
  const start = magic.length + lengthBytes;
  if (name !== magic || bytes.length < start) throw broken("it does not begin as one");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(magic.length, true);
  let header: { fingerprint?: unknown; tokens?: unknown; units?: unknown };
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(start, start + length)));
  } catch (cause) {
    throw broken("its header can't be read", cause);
  }
  if (header.fingerprint !== fingerprint) {
    throw broken("it was saved by another model, or with another context; load the model as it was then");
  }
  if (!Array.isArray(header.tokens) || !Array.isArray(header.units)) throw broken("its header is not whole");
  // Written by packState, for the same model.
  return { tokens: header.tokens, units: header.units, state: bytes.subarray(start + length) };
}

function broken(why: string, cause?: unknown): InferenceError {
  return new InferenceError("format", `Cannot restore a state: ${why}`, cause === undefined ? {} : { cause });
}
