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
  /** Makes a slot as long as its text. */
  readonly fill: string;
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
  const unused = (function* () {
    for (const [first, last] of ranges) {
      for (let code = first; code <= last; code++) {
        const character = String.fromCodePoint(code);
        const escaped = escapeUnits(character);
        if (!texts.some((text) => text.includes(character) || text.includes(escaped))) yield character;
      }
    }
  })();
  const take = (): string => {
    const { value } = unused.next();
    if (value) return value;
    throw new InferenceError(
      "template",
      "Cannot render the conversation: its texts use every private character of Unicode, and a few must be left",
    );
  };
  return { open: take(), close: take(), slot: take(), fill: take(), cut: take(), system: take() };
}
