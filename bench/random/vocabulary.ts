// A byte-level BPE vocabulary of any size, in GLM's style: all bytes, made-up merges of them, and GLM's control tokens.

/** How llama.cpp numbers the kinds of tokens. */
const normal = 1;
const control = 3;

const controlTokens = [
  "<|endoftext|>",
  "[MASK]",
  "[gMASK]",
  "[sMASK]",
  "<sop>",
  "<eop>",
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|observation|>",
] as const;

export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly merges: readonly string[];
  /** The first of the control tokens, which come last. */
  readonly firstControl: number;
  readonly idOf: (controlToken: (typeof controlTokens)[number]) => number;
}

/** Bytes that stand for themselves, in the order of their tokens; the others follow, as characters from 256 on. */
const printable = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
const others = range(0, 255).filter((byte) => !printable.includes(byte));
const characters = [
  ...printable.map((byte) => String.fromCodePoint(byte)),
  ...others.map((_, at) => String.fromCodePoint(256 + at)),
];
const space = characters[printable.length + others.indexOf(32)] ?? "";
const letters = "etaoinshrdlucmfwypvbgkjqxz";

/**
 * Tokens of the ten digits. No merge joins digits, so that a text of digits has one token a digit: an engine that takes
 * text can be given exactly the tokens that another one takes as such.
 */
export function digitTokens(digits: string): Uint32Array {
  return Uint32Array.from(digits, (digit) => printable.indexOf(digit.codePointAt(0) ?? 0));
}

/** @throws {RangeError} if there are fewer tokens than bytes and control tokens, or more than there are merges for */
export function makeVocabulary(size: number): Vocabulary {
  const firstControl = size - controlTokens.length;
  const merges = makeMerges(firstControl - characters.length);
  const normals = [...characters, ...merges.map((merge) => merge.replace(" ", ""))];
  return {
    tokens: [...normals, ...controlTokens],
    types: [...normals.map(() => normal), ...controlTokens.map(() => control)],
    merges,
    firstControl,
    idOf: (token) => firstControl + controlTokens.indexOf(token),
  };
}

function makeMerges(count: number): string[] {
  const merges = new Map<string, string>();
  for (const [left, right] of candidates()) {
    if (merges.size >= count) break;
    if (!merges.has(left + right)) merges.set(left + right, `${left} ${right}`);
  }
  if (count < 0 || merges.size < count) {
    throw new RangeError(`A vocabulary of ${count + characters.length + controlTokens.length} tokens can't be made`);
  }
  return [...merges.values()];
}

/** Two tokens each, both of which exist by then: pairs of letters, words that begin with them, three and four letters. */
function* candidates(): Generator<readonly [string, string]> {
  const pairs: string[] = [];
  for (const first of letters) yield [space, first];
  for (const first of letters) {
    for (const second of letters) {
      pairs.push(first + second);
      yield [first, second];
    }
  }
  for (const pair of pairs) yield [space, pair];
  for (const pair of pairs) for (const letter of letters) yield [pair, letter];
  for (const pair of pairs) for (const other of pairs) yield [pair, other];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
