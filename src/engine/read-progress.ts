/** Bytes of a block: what is read twice, or partly, counts as one. */
const blockBytes = 2 ** 20;

/**
 * Tells how much of some files was read, when an engine reads them in an order of its own and some parts twice.
 *
 * @param sizes Bytes of each file.
 * @param onprogress Told of bytes read, of how many; each time more, all of them only when `end` is called.
 */
export class ReadProgress {
  readonly #sizes: readonly number[];
  readonly #total: number;
  readonly #onprogress: ((loaded: number, total: number) => void) | undefined;
  readonly #read = new Set<string>();
  #loaded = 0;

  constructor(sizes: readonly number[], onprogress: ((loaded: number, total: number) => void) | undefined) {
    this.#sizes = sizes;
    this.#total = sizes.reduce((sum, size) => sum + size, 0);
    this.#onprogress = onprogress;
  }

  /** Counts a range of a file; `end` is past its last byte. */
  add(file: number, start: number, end: number): void {
    const size = this.#sizes[file] ?? 0;
    const before = this.#loaded;
    for (let at = start - (start % blockBytes); at < end; at += blockBytes) {
      const block = `${file}:${at}`;
      if (this.#read.has(block)) continue;
      this.#read.add(block);
      this.#loaded += Math.min(blockBytes, size - at);
    }
    if (this.#loaded > before && this.#loaded < this.#total) this.#onprogress?.(this.#loaded, this.#total);
  }

  /** Everything is there. */
  end(): void {
    this.#onprogress?.(this.#total, this.#total);
  }
}
