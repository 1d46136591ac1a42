import { openLocalFile } from "../platform/files.ts";

/**
 * A file on disk in a Blob's shape, read when it is asked for. Node's own has sizes modulo 4 GiB, and Deno's takes the
 * whole file into memory. Being none of the host's own, it is not for `new Blob([…])`, `new Response(…)` or messages.
 */
export class DiskBlob implements Blob {
  readonly size: number;
  readonly type: string = "";
  readonly path: string;
  readonly #start: number;

  constructor(path: string, { start, end }: { start: number; end: number }) {
    this.path = path;
    this.#start = start;
    this.size = end - start;
  }

  get [Symbol.toStringTag](): string {
    return "Blob";
  }

  slice(from: number = 0, to: number = this.size): DiskBlob {
    const clamp = (at: number): number => Math.min(this.size, Math.max(0, at < 0 ? this.size + at : at));
    const start = clamp(from);
    return new DiskBlob(this.path, { start: this.#start + start, end: this.#start + Math.max(start, clamp(to)) });
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const file = await openLocalFile(this.path);
    try {
      return await file.read(this.#start, this.size);
    } finally {
      await file.close();
    }
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.bytes();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : new Uint8Array(bytes).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const pieceBytes = 2 ** 20;
    let at = 0;
    return new ReadableStream(
      {
        pull: async (controller) => {
          const piece = await this.slice(at, at + pieceBytes).bytes();
          at += piece.byteLength;
          if (piece.byteLength > 0) controller.enqueue(piece);
          if (piece.byteLength === 0 || at >= this.size) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }
}
