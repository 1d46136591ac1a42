import { InferenceError } from "../errors.ts";

/** Bytes on their way, in order. */
export interface Transfer {
  readonly name: string;
  /** Bytes; undefined while the other side has not told. */
  readonly size: number | undefined;
  /** What to call it in messages, and in their details. */
  readonly label: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The next bytes, or undefined at the end. `wanted`: how many can be used now. */
  next(wanted: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** From now on every byte is wanted, so one long response is better than many short ones. */
  rush(signal: AbortSignal | undefined): Promise<void>;
  /** Stops it; idempotent. */
  cancel(reason?: unknown): Promise<void>;
}

/** What is known of a stream; `signal` is the one that the request behind it was made with. */
export interface StreamDescription extends Omit<Transfer, "next" | "rush" | "cancel"> {
  readonly signal?: AbortSignal | undefined;
}

/** A transfer over a stream that comes once. */
export function streamTransfer(stream: ReadableStream<Uint8Array<ArrayBuffer>>, about: StreamDescription): Transfer {
  const reader = stream.getReader();
  return {
    name: about.name,
    size: about.size,
    label: about.label,
    details: about.details,
    async next(_wanted, signal) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return undefined;
          if (!(value instanceof Uint8Array))
            throw new TypeError(`Cannot read ${about.label}: its stream gives ${typeof value}; bytes are wanted`);
          if (value.byteLength > 0) return value;
        }
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        if (about.signal?.aborted) throw about.signal.reason;
        if (cause instanceof TypeError && cause.message.startsWith("Cannot read")) throw cause;
        throw new InferenceError("network", `Cannot read ${about.label}: it broke off (${String(cause)})`, {
          cause,
          details: about.details,
        });
      }
    },
    rush: async () => {},
    cancel: (reason) => reader.cancel(reason),
  };
}
