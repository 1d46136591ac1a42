// SHA-256 (FIPS 180-4) piece by piece, for hosts without node:crypto: the web's own digest takes all bytes at once.

const isPrime = (value: number): boolean => {
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false;
  return true;
};
const primes = Array.from({ length: 310 }, (_, index) => index + 2)
  .filter(isPrime)
  .slice(0, 64);
/** The first 32 bits of a number's fraction, as the standard derives its constants. */
const fraction = (value: number): number => ((value - Math.floor(value)) * 2 ** 32) | 0;
const roundConstants = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const rotated = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** One digest in the making. */
export class PortableSha256 {
  readonly #state: Int32Array = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  readonly #words: Int32Array = new Int32Array(64);
  readonly #block: Uint8Array = new Uint8Array(64);
  readonly #view: DataView = new DataView(this.#block.buffer);
  #filled = 0;
  #bytes = 0;

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#filled === 0 && bytes.byteLength - at >= 64) {
        this.#compress(view, at);
        at += 64;
        continue;
      }
      const taken = bytes.subarray(at, at + 64 - this.#filled);
      this.#block.set(taken, this.#filled);
      this.#filled += taken.byteLength;
      at += taken.byteLength;
      if (this.#filled < 64) continue;
      this.#filled = 0;
      this.#compress(this.#view, 0);
    }
  }

  /** The 32 bytes of the digest; called once, at the end. */
  digest(): Uint8Array<ArrayBuffer> {
    const bits = this.#bytes * 8;
    this.update(Uint8Array.of(0x80));
    while (this.#filled !== 56) this.update(new Uint8Array(1));
    this.#view.setUint32(56, Math.floor(bits / 2 ** 32));
    this.#view.setUint32(60, bits >>> 0);
    this.#compress(this.#view, 0);
    const digest = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, index) => digest.setInt32(index * 4, word));
    return new Uint8Array(digest.buffer);
  }

  #compress(view: DataView, at: number): void {
    const words = this.#words;
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + i * 4);
    // The indices are within the 64 words, so that the zeros are never taken.
    for (let i = 16; i < 64; i++) {
      const early = words[i - 15] ?? 0;
      const late = words[i - 2] ?? 0;
      const first = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
      const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
      words[i] = (words[i - 16] ?? 0) + first + (words[i - 7] ?? 0) + second;
    }
    const state = this.#state;
    // One by one, here and at the end: taking them apart by iteration costs nearly half of the speed.
    let a = state[0] ?? 0;
    let b = state[1] ?? 0;
    let c = state[2] ?? 0;
    let d = state[3] ?? 0;
    let e = state[4] ?? 0;
    let f = state[5] ?? 0;
    let g = state[6] ?? 0;
    let h = state[7] ?? 0;
    for (let i = 0; i < 64; i++) {
      const choice = (e & f) ^ (~e & g);
      const sum = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const first = (h + sum + choice + (roundConstants[i] ?? 0) + (words[i] ?? 0)) | 0;
      const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0] = (state[0] ?? 0) + a;
    state[1] = (state[1] ?? 0) + b;
    state[2] = (state[2] ?? 0) + c;
    state[3] = (state[3] ?? 0) + d;
    state[4] = (state[4] ?? 0) + e;
    state[5] = (state[5] ?? 0) + f;
    state[6] = (state[6] ?? 0) + g;
    state[7] = (state[7] ?? 0) + h;
  }
}
