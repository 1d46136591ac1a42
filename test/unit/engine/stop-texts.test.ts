import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StopTexts } from "../../../src/engine/stop-texts.ts";

function pushAll(stops: readonly string[], pieces: readonly string[]): { text: string; stopped: boolean } {
  const texts = new StopTexts(stops);
  let text = "";
  for (const piece of pieces) {
    const shown = texts.push(piece);
    text += shown.text;
    if (shown.stopped) return { text, stopped: true };
  }
  return { text: text + texts.end(), stopped: false };
}

describe("StopTexts", () => {
  test("push() ends before a stop text that comes in pieces", () => {
    expect(pushAll(["END"], ["one E", "N", "D two"])).toEqual({ text: "one ", stopped: true });
  });

  test("push() lets go what only began like one", () => {
    expect(pushAll(["END"], ["E", "N", "X"])).toEqual({ text: "ENX", stopped: false });
  });

  test("push() ends before the first of several", () => {
    expect(pushAll(["zz", "b"], ["abczz"])).toEqual({ text: "a", stopped: true });
  });

  test("end() gives what was held back", () => {
    expect(pushAll(["END"], ["the E"])).toEqual({ text: "the E", stopped: false });
  });

  test("push() shows what comes before the first stop text, however the text is cut", () => {
    const letters = fc.constantFrom("a", "b", "c");
    const word = fc.string({ unit: letters, minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 3 }),
        fc.array(fc.string({ unit: letters, maxLength: 4 })),
        (stops, pieces) => {
          const whole = pieces.join("");
          const found = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
          const { text, stopped } = pushAll(stops, pieces);
          expect(stopped).toBe(found.length > 0);
          // Of two stop texts that overlap, the one that is whole first is the one that is seen.
          if (!stopped) expect(text).toBe(whole);
          else for (const stop of stops) expect(text.includes(stop)).toBe(false);
          expect(whole.startsWith(text)).toBe(true);
        },
      ),
    );
  });
});
