// Walks a WebAssembly binary's code, instruction by instruction: a search for bytes alone would find constants too.

const codeSection = 10;

/** The instructions behind the prefix 0xfd, by their numbers; those from 0x100 on are relaxed SIMD. */
export const simd = { dotI16x8: 0xba, firstRelaxed: 0x100, relaxedDotAdd: 0x113 } as const;

/**
 * How often each instruction behind the prefix 0xfd is there.
 *
 * @throws {TypeError} for an instruction that is not known, or a function whose instructions end beyond it
 */
export function simdCounts(binary: Uint8Array): Map<number, number> {
  const counts = new Map<number, number>();
  const reader = new Reader(binary);
  reader.skip(8);
  while (!reader.isAtEnd) {
    const section = reader.byte();
    const end = reader.number() + reader.at;
    if (section === codeSection) countBodies(reader, counts);
    reader.at = end;
  }
  return counts;
}

function countBodies(reader: Reader, counts: Map<number, number>): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    const end = reader.number() + reader.at;
    // Runs of locals: how many, of which type.
    reader.numbers(2 * reader.number());
    while (reader.at < end) {
      const operation = reader.byte();
      if (operation === 0xfd) {
        const number = reader.number();
        counts.set(number, (counts.get(number) ?? 0) + 1);
        skipVectorImmediates(reader, number);
      } else skipImmediates(reader, operation);
    }
    if (reader.at !== end) throw new TypeError(`A function ends at ${end}, its instructions at ${reader.at}`);
  }
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new TypeError(`The binary ends at ${this.at}`);
    this.at += 1;
    return byte;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  /** LEB128; of long and of negative numbers, only the length is right. */
  number(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.byte();
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  }

  numbers(count: number): void {
    for (let left = count; left > 0; left -= 1) this.number();
  }

  /** Alignment and offset, and which memory if there are several. */
  place(): void {
    const alignment = this.number();
    this.numbers(alignment & 64 ? 2 : 1);
  }
}

/** How many numbers follow an instruction, where that is all. */
const numbersAfter = new Map<number, number>([
  ...[0x00, 0x01, 0x05, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1].map((plain) => [plain, 0] as const),
  // Blocks, exceptions, branches, calls, variables, tables, the memory's size, integers, references.
  ...[0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x18, 0x0c, 0x0d, 0x10, 0x12].map((one) => [one, 1] as const),
  ...[0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2].map((one) => [one, 1] as const),
  [0x11, 2],
  [0x13, 2],
]);

/** Likewise behind the prefix 0xfc: conversions, and what is done to memories and tables at once. */
const numbersAfterBulk = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function skipImmediates(reader: Reader, operation: number): void {
  const numbers = numbersAfter.get(operation);
  if (numbers !== undefined) reader.numbers(numbers);
  else if (operation === 0x0e) reader.numbers(reader.number() + 1);
  else if (operation === 0x1c) reader.numbers(reader.number());
  else if (operation >= 0x28 && operation <= 0x3e) reader.place();
  else if (operation === 0x43) reader.skip(4);
  else if (operation === 0x44) reader.skip(8);
  else if (operation === 0xfc) reader.numbers(numbersAfterBulk[reader.number()] ?? unknown(operation));
  else if (operation === 0xfe) skipAtomicImmediates(reader);
  // Comparisons and arithmetic have all they need on the stack.
  else if (operation < 0x45 || operation > 0xc4) unknown(operation);
}

function skipAtomicImmediates(reader: Reader): void {
  const fence = 3;
  if (reader.number() === fence) reader.skip(1);
  else reader.place();
}

function skipVectorImmediates(reader: Reader, number: number): void {
  const isLane = number >= 0x15 && number <= 0x22;
  const isLaneInMemory = number >= 0x54 && number <= 0x5b;
  if (number <= 0x0b || isLaneInMemory || number === 0x5c || number === 0x5d) reader.place();
  if (number === 0x0c || number === 0x0d) reader.skip(16);
  if (isLane || isLaneInMemory) reader.skip(1);
}

function unknown(operation: number): never {
  throw new TypeError(`There is no instruction 0x${operation.toString(16)}`);
}
