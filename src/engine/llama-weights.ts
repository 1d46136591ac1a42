import { InferenceError } from "../errors.ts";
import { NativeLoader } from "../wasm/loader.ts";
import type { NativeTensor } from "../wasm/loader.ts";
import type { NativeModel } from "../wasm/model.ts";
import type { WasmModule } from "../wasm/module.ts";
import { Checksum } from "./checksum.ts";
import type { FileRange, LoadHost } from "./host.ts";

/** Bytes of one read, at most: long enough to be fast, short enough to cost no memory. */
const readBytes = 2 ** 23;
/** Reads under way at once, so that neither the disk nor this thread waits for the other. */
const readsAtOnce = 4;
/** Bytes at the beginning of each read that tell a model's weights from another's. */
const sampleBytes = 256;

interface Range {
  readonly index: number;
  readonly tensor: NativeTensor;
  /** Bytes within the tensor. */
  readonly offset: number;
  readonly length: number;
}

/** Ranges of one file that are read at once: small tensors are many, and each read of its own waits for the other thread. */
interface Read {
  readonly file: number;
  readonly start: number;
  end: number;
  readonly ranges: Range[];
}

/**
 * Loads a model into a module: each range of its files goes to its place as it comes, and is repacked on the way where the
 * kernels want it so.
 *
 * @param headers Bytes of each file's header.
 * @returns The model, and a checksum of its headers and of samples of its weights.
 * @throws {InferenceError} `format`, `memory`, `crashed`, and what reading throws
 */
export async function loadWeights(
  module: WasmModule,
  { files, read }: Pick<LoadHost, "files" | "read">,
  headers: readonly number[],
): Promise<{ readonly model: NativeModel; readonly fingerprint: string }> {
  const checksum = new Checksum();
  const bytesAt = async (file: number, range: FileRange): Promise<Uint8Array<ArrayBuffer>> => {
    const { offset, length } = range;
    const bytes = await read(file, range);
    if (bytes.byteLength !== length) {
      throw new InferenceError(
        "format",
        `Cannot load the model: its file ends after ${offset + bytes.byteLength} bytes, not ${files[file]?.size}`,
      );
    }
    return bytes;
  };
  const heads = await Promise.all(headers.map((length, file) => bytesAt(file, { offset: 0, length })));
  for (const head of heads) checksum.add(head);
  const loader = new NativeLoader(module, heads);
  try {
    const reads = readsOf(rangesOf(loader.build()));
    const reading = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
    const start = (at: number, into?: ArrayBuffer): void => {
      const read = reads[at];
      if (!read) return;
      const bytes = bytesAt(read.file, { offset: read.start, length: read.end - read.start, into });
      // Awaited in its turn; an error before it is not to be unhandled until then.
      bytes.catch(() => undefined);
      reading.set(at, bytes);
    };
    for (let at = 0; at < readsAtOnce; at += 1) start(at);
    for (const [at, read] of reads.entries()) {
      const bytes = await reading.get(at);
      reading.delete(at);
      if (!bytes) continue;
      for (const { index, tensor, offset, length } of read.ranges) {
        const from = tensor.offset + offset - read.start;
        const own = bytes.subarray(from, from + length);
        checksum.add(own.subarray(0, sampleBytes));
        loader.put(index, tensor, { offset, bytes: own });
      }
      // In the buffer that is free again: the garbage of a large model would be as large as the model.
      start(at + readsAtOnce, bytes.buffer);
    }
    return { model: loader.finish(), fingerprint: checksum.toString() };
  } catch (error) {
    loader.free();
    throw error;
  }
}

function* rangesOf(tensors: readonly { index: number; tensor: NativeTensor }[]): Generator<Range> {
  for (const { index, tensor } of tensors) {
    const { size, granule } = tensor;
    const step = Math.max(granule, Math.floor(readBytes / granule) * granule);
    for (let offset = 0; offset < size; offset += step) {
      yield { index, tensor, offset, length: Math.min(step, size - offset) };
    }
  }
}

/** Neighbours go into one read as long as it is not too long. */
function readsOf(ranges: Iterable<Range>): readonly Read[] {
  const reads: Read[] = [];
  for (const range of ranges) {
    const { shard: file, offset } = range.tensor;
    const start = offset + range.offset;
    const end = start + range.length;
    const last = reads.at(-1);
    if (last?.file === file && end - last.start <= readBytes) {
      last.end = end;
      last.ranges.push(range);
    } else {
      reads.push({ file, start, end, ranges: [range] });
    }
  }
  return reads;
}
