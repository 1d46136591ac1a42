import type { LoadHost } from "./host.ts";

const streamChunk = 4 * 2 ** 20;

/** The part of Blob that wllama uses, over ranges of a file: nothing is copied, and no size is too large. */
export function rangeBlob(
  read: LoadHost["read"],
  file: number,
  range: { readonly start: number; readonly end: number },
): Blob {
  const { start, end } = range;
  const blob = {
    size: end - start,
    type: "",
    slice: (from = 0, to = end - start): Blob =>
      rangeBlob(read, file, { start: Math.min(start + from, end), end: Math.min(start + to, end) }),
    async arrayBuffer(): Promise<ArrayBuffer> {
      return (await read(file, start, end - start)).buffer;
    },
    stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
      let at = start;
      return new ReadableStream(
        {
          async pull(controller) {
            if (at >= end) {
              controller.close();
              return;
            }
            const bytes = await read(file, at, Math.min(streamChunk, end - at));
            at += bytes.length;
            controller.enqueue(bytes);
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
  // wllama asks for no more of a Blob than this.
  return blob as unknown as Blob;
}
