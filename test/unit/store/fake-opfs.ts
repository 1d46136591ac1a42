// A browser's origin-private file system, as far as the store uses it: what is written shows when its writer is closed.
import type { OpfsHost } from "../../../src/store/opfs-store.ts";

export interface FakeOpfs extends OpfsHost {
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Bytes that all files may have. */
  quota: number;
}

export function createFakeOpfs(segmentBytes: number, locks?: OpfsHost["locks"]): FakeOpfs {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const missing = (): DOMException => new DOMException("no such file", "NotFoundError");
  const writable = (name: string, keeps: boolean) => {
    let bytes: Uint8Array<ArrayBuffer> = keeps ? new Uint8Array(files.get(name) ?? []) : new Uint8Array(0);
    let at = 0;
    return {
      async write(data: Uint8Array | string) {
        const piece = typeof data === "string" ? new TextEncoder().encode(data) : data;
        const others = [...files].reduce((sum, [other, { byteLength }]) => sum + (other === name ? 0 : byteLength), 0);
        if (others + at + piece.byteLength > fake.quota) throw new DOMException("full", "QuotaExceededError");
        const longer = new Uint8Array(Math.max(bytes.byteLength, at + piece.byteLength));
        longer.set(bytes);
        longer.set(piece, at);
        bytes = longer;
        at += piece.byteLength;
      },
      truncate: async (size: number) => void (bytes = bytes.slice(0, size)),
      seek: async (to: number) => void (at = to),
      close: async () => void files.set(name, bytes),
    };
  };
  const folder = {
    async getFileHandle(name: string, { create = false } = {}) {
      if (!files.has(name) && !create) throw missing();
      if (!files.has(name)) files.set(name, new Uint8Array(0));
      return {
        getFile: async () => new File([files.get(name) ?? new Uint8Array(0)], name),
        createWritable: async ({ keepExistingData = false } = {}) => writable(name, keepExistingData),
      };
    },
    async removeEntry(name: string) {
      if (!files.delete(name)) throw missing();
    },
    async *keys() {
      yield* files.keys();
    },
  };
  const fake: FakeOpfs = {
    files,
    quota: Infinity,
    segmentBytes,
    locks,
    // The store uses no more of a folder than this.
    folder: async () => folder as unknown as FileSystemDirectoryHandle,
  };
  return fake;
}
