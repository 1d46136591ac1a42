export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** A buffer that the bytes may be put into, where that saves another: a host may be slow to free those. */
  readonly into?: ArrayBuffer | undefined;
}

/** The file behind a model, whatever it came from: random access, so that a context can be rebuilt. */
export interface WeightFile {
  /** File name of the shard, for messages and for ordering. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Reads `length` bytes at `offset`; fewer only at the end of the file. */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Idempotent. */
  close(): Promise<void>;
}
