import { InferenceError } from "../errors.ts";

/**
 * Characters with a meaning only between this folder and a template: they go in with a caller's text, come out in the
 * rendered prompt, and are taken out again. None occurs in any text of the conversation.
 */
export interface Markers {
  /** Before and after a caller's text. */
  readonly open: string;
  readonly close: string;
  /** Before and after the name of a text that is put in later. */
  readonly slot: string;
  /** Of these a name is made, bit by bit, and filled up until it is as long as its text. */
  readonly bits: readonly [zero: string, one: string];
  /** In each name, so that it changes where a template changes case or prints JSON: a small letter, its capital, a control character. */
  readonly witness: string;
  /** Inside a control token that a caller wrote, so that it is none. */
  readonly cut: string;
  /** Before a system message that goes through the template as a user message. */
  readonly system: string;
}

// Private use and noncharacters of the basic plane, then private use beyond it.
const ranges: readonly (readonly [first: number, last: number])[] = [
  [0xe000, 0xf8ff],
  [0xfdd0, 0xfdef],
  [0xf0000, 0xffffd],
];

// Cherokee: letters in two cases that hardly any conversation has all of.
const smallLetters = [0xab70, 0xabbf] as const;
// JSON escapes these, and nothing strips them.
const controls = [0x01, 0x08] as const;

/** How JSON prints a character when it may print ASCII alone. */
export function escapeUnits(character: string): string {
  return character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Picks characters that no text has, neither plain nor as a JSON escape.
 *
 * @throws {InferenceError} `template` if the texts use up all of Unicode's private characters
 */
export function chooseMarkers(texts: readonly string[]): Markers {
  const taken = (part: string): boolean => {
    const escaped = escapeUnits(part);
    return texts.some((text) => text.includes(part) || text.includes(escaped));
  };
  const unused = (function* () {
    for (const character of characters(ranges)) if (!taken(character)) yield character;
  })();
  const take = (): string => {
    const { value } = unused.next();
    if (value) return value;
    throw new InferenceError(
      "template",
      "Cannot render the conversation: its texts use every private character of Unicode, and a few must be left",
    );
  };
  const letter = [...characters([smallLetters])].find((small) => !taken(small) && !taken(small.toUpperCase()));
  const control = [...characters([controls])].find((character) => !taken(character));
  return {
    open: take(),
    close: take(),
    slot: take(),
    bits: [take(), take()],
    // Without them a change of case or a JSON filter goes unnoticed, which is no worse than the text unchanged.
    witness: `${letter ?? ""}${letter?.toUpperCase() ?? ""}${control ?? ""}`,
    cut: take(),
    system: take(),
  };
}

function* characters(ranges: readonly (readonly [first: number, last: number])[]): Generator<string> {
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) yield String.fromCodePoint(code);
  }
}
