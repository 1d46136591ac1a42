interface TrieNode {
  readonly next: Map<string, TrieNode>;
  ends: boolean;
}

/** Finds where texts occur in another one; see {@link createTextFinder}. */
export type TextFinder = (text: string) => number[];

/**
 * Finds every place at which one of the given texts starts, overlapping ones too. The time does not depend on how many
 * texts there are: some vocabularies have thousands of control tokens.
 *
 * @param texts Texts to look for; those shorter than two characters are left out.
 * @returns A function from a text to ascending positions in UTF-16 units.
 */
export function createTextFinder(texts: Iterable<string>): TextFinder {
  const root: TrieNode = { next: new Map(), ends: false };
  for (const text of texts) {
    if (text.length < 2) continue;
    let node = root;
    for (const unit of text.split("")) {
      const next = node.next.get(unit) ?? { next: new Map(), ends: false };
      node.next.set(unit, next);
      node = next;
    }
    node.ends = true;
  }
  const startsAt = (text: string, at: number): boolean => {
    let node: TrieNode | undefined = root;
    for (let index = at; node && index < text.length; index++) {
      node = node.next.get(text.charAt(index));
      if (node?.ends) return true;
    }
    return false;
  };
  return (text) => {
    const found: number[] = [];
    for (let at = 0; at < text.length; at++) if (startsAt(text, at)) found.push(at);
    return found;
  };
}
