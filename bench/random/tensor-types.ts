// Blocks of llama.cpp's tensor types, filled with random weights of mean 0: whole random bytes, and scales that make sense.

/** What all weights' standard deviation is. */
const deviation = 0.02;

export interface TensorType {
  /** Number in a GGUF file. */
  readonly id: number;
  /** Weights a block. */
  readonly blockSize: number;
  readonly blockBytes: number;
  /** Makes random bytes, whole blocks of them, into weights; in place. */
  readonly shape: (bytes: Uint8Array) => void;
}

const float16 = new Float16Array(1);
const float16Bits = new Uint16Array(float16.buffer);

function halfBits(value: number): number {
  float16[0] = value;
  return float16Bits[0] ?? 0;
}

/** Around 1, so that blocks differ. */
function jitter(step: number): number {
  return 0.7 + (0.6 * ((step * 37) % 64)) / 63;
}

/** 256 scales that a random byte chooses from; half of them negative, which keeps the mean at 0. */
function scales(middle: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, at) => halfBits(middle * jitter(at & 63) * (at & 64 ? -1 : 1)));
}

/** Blocks whose one scale stands at an offset, where a random byte chooses it. */
function scaleAt(offset: number, blockBytes: number, middle: number): TensorType["shape"] {
  const table = scales(middle);
  return (bytes) => {
    for (let at = offset; at < bytes.length; at += blockBytes) {
      const scale = table[bytes[at] ?? 0] ?? 0;
      bytes[at] = scale & 255;
      bytes[at + 1] = scale >> 8;
    }
  };
}

/** 128 bytes of low bits, 64 of high bits, 16 signed scales, one scale of the scales. */
function shapeQ6K(bytes: Uint8Array): void {
  for (let block = 0; block < bytes.length; block += 210) {
    for (let at = block + 192; at < block + 208; at += 1) {
      const random = bytes[at] ?? 0;
      const scale = 24 + (random & 15);
      bytes[at] = random & 128 ? -scale : scale;
    }
  }
  scaleQ6K(bytes);
}
const scaleQ6K = scaleAt(208, 210, deviation / 18.47 / 32);

const scaleTableQ4K = Uint16Array.from({ length: 64 }, (_, at) => halfBits((deviation / 4.61 / 32) * jitter(at)));
// Each part's scale and minimum are the same number: 7.5 steps below 0 begin 16 steps whose middle is 0.
const minimumTableQ4K = Uint16Array.from({ length: 64 }, (_, at) =>
  halfBits((deviation / 4.61 / 32) * jitter(at) * 7.5),
);

/** A scale, one of the minimums, 12 bytes of packed 6-bit scales and minimums, 128 of weights. */
function shapeQ4K(bytes: Uint8Array): void {
  for (let block = 0; block < bytes.length; block += 144) {
    const step = (bytes[block] ?? 0) & 63;
    const scale = scaleTableQ4K[step] ?? 0;
    const minimum = minimumTableQ4K[step] ?? 0;
    bytes[block] = scale & 255;
    bytes[block + 1] = scale >> 8;
    bytes[block + 2] = minimum & 255;
    bytes[block + 3] = minimum >> 8;
    for (let part = block + 4; part < block + 8; part += 1) {
      const low = 24 + ((bytes[part] ?? 0) & 15);
      const high = 24 + ((bytes[part + 4] ?? 0) & 15);
      bytes[part] = low | ((high >> 4) << 6);
      bytes[part + 4] = low | ((high >> 4) << 6);
      bytes[part + 8] = (high & 15) | ((high & 15) << 4);
    }
  }
}

/** Four random bytes a weight. */
function shapeF32(bytes: Uint8Array): void {
  const weights = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const random = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  for (let at = 0; at < weights.length; at += 1) {
    // The sum of two even distributions is near enough to a normal one.
    const sum = (random[2 * at] ?? 0) + (random[2 * at + 1] ?? 0);
    weights[at] = (sum / 65_535 - 1) * Math.sqrt(6) * deviation;
  }
}

/** Those that the recipes use. */
export const tensorTypes = {
  F32: { id: 0, blockSize: 1, blockBytes: 4, shape: shapeF32 },
  Q4_0: { id: 2, blockSize: 32, blockBytes: 18, shape: scaleAt(0, 18, deviation / 4.63) },
  Q5_0: { id: 6, blockSize: 32, blockBytes: 22, shape: scaleAt(0, 22, deviation / 9.25) },
  Q8_0: { id: 8, blockSize: 32, blockBytes: 34, shape: scaleAt(0, 34, deviation / 73.9) },
  Q4_K: { id: 12, blockSize: 256, blockBytes: 144, shape: shapeQ4K },
  Q6_K: { id: 14, blockSize: 256, blockBytes: 210, shape: shapeQ6K },
} as const satisfies Record<string, TensorType>;

export type TensorTypeName = keyof typeof tensorTypes;
