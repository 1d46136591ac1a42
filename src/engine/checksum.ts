/** A checksum of bytes as they come: FNV-1a in two lanes of 32 bits. It tells models apart; it keeps nobody out. */
export class Checksum {
  // The offset basis and the prime that the algorithm names, and another start for the second lane.
  #first = 0x811c9dc5;
  #second = 0x01000193;

  add(bytes: Uint8Array): void {
    let first = this.#first;
    let second = this.#second;
    for (const byte of bytes) {
      first = Math.imul(first ^ byte, 0x01000193);
      second = Math.imul(second + byte, 0x01000193) ^ (second >>> 15);
    }
    this.#first = first;
    this.#second = second;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return [this.#first, this.#second].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
