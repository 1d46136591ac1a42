import type { WeightFile } from "./weight-file.ts";

/** Bytes in memory as a file. Reads are copies, so that whoever gets one may transfer it. */
export function bytesFile(name: string, source: BufferSource): WeightFile {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  return {
    name,
    size: bytes.byteLength,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted();
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    close: async () => {},
  };
}

/** A Blob or File as a file: in browsers it may lie on disk. */
export function blobFile(name: string, blob: Blob): WeightFile {
  return {
    name,
    size: blob.size,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted();
      const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      signal?.throwIfAborted();
      return bytes;
    },
    close: async () => {},
  };
}
