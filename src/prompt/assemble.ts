import { escapeUnits, type Markers } from "./markers.ts";
import type { Piece, Slot } from "./marked-text.ts";

/** A rendered prompt whose marks were read and removed. */
export interface Assembled {
  readonly pieces: readonly Piece[];
  /** The template cut a marked text or changed a slot's name. */
  readonly mangled: boolean;
  /** Slots that were not printed. */
  readonly missing: number;
  /** Marked texts that were printed whole. */
  readonly printed: number;
  /** A system message in mid-conversation did not follow the header it should. */
  readonly misplaced: boolean;
}

export interface AssembleOptions {
  readonly markers: Markers;
  readonly slots: readonly Slot[];
  readonly headers?: { readonly user: string; readonly system: string };
}

/** Tells the template's own text from the callers' by the marks, and puts the texts of slots in. */
export function assemble(rendered: string, { markers, slots, headers }: AssembleOptions): Assembled {
  const { open, close, slot, bits, witness, cut, system } = markers;
  const names = new Map(slots.map(({ name }, index) => [name, index]));
  const remains = new RegExp([...bits, ...witness].join("|"), "gu");
  const parts = unescapeMarkers(rendered, markers).split(new RegExp(`(${[open, close, slot, cut, system].join("|")})`));
  // Even indices are text, odd ones markers.
  const marker = (index: number): string | undefined => parts[index];
  const text = (index: number): string => parts[index] ?? "";
  const prompt = new PieceList();
  const seen = new Set<number>();
  let mangled = false;
  let misplaced = false;
  let printed = 0;

  const addControl = (part: string): void => {
    const clean = part.replace(remains, "");
    mangled ||= clean !== part;
    prompt.add("control", clean);
  };

  addControl(text(0));
  for (let index = 1; index < parts.length; index += 2) {
    switch (marker(index)) {
      case slot: {
        const found = marker(index + 2) === slot ? names.get(text(index + 1)) : undefined;
        const pieces = found === undefined ? undefined : slots[found]?.pieces;
        if (found === undefined || !pieces) {
          mangled = true;
          break;
        }
        seen.add(found);
        printed++;
        for (const piece of pieces) prompt.add(piece.kind, piece.text);
        index += 2;
        break;
      }
      case open: {
        let end = index + 2;
        while (marker(end) === cut) end += 2;
        if (marker(end) !== close) {
          mangled = true;
          break;
        }
        printed++;
        for (let inner = index + 1; inner < end; inner += 2) prompt.add("content", text(inner));
        index = end;
        break;
      }
      case cut:
        // Its text lost the marks around it. One character as content, and the control token is none.
        prompt.isolateLast();
        break;
      case system:
        misplaced ||= !headers || !prompt.replaceHeader(headers.user, headers.system);
        break;
      default:
        mangled = true;
    }
    addControl(text(index + 1));
  }
  return { pieces: prompt.pieces, mangled, missing: slots.length - seen.size, printed, misplaced };
}

/** Undoes what a JSON filter that prints ASCII alone did to the markers. */
function unescapeMarkers(rendered: string, markers: Markers): string {
  let text = rendered;
  const { open, close, cut, system } = markers;
  for (const character of [open, close, cut, system]) text = text.replaceAll(escapeUnits(character), character);
  return text;
}

class PieceList {
  readonly pieces: Piece[] = [];

  add(kind: Piece["kind"], text: string): void {
    if (text === "") return;
    const last = this.pieces.at(-1);
    if (last?.kind === kind) this.pieces[this.pieces.length - 1] = { kind, text: last.text + text };
    else this.pieces.push({ kind, text });
  }

  isolateLast(): void {
    const last = this.pieces.at(-1);
    if (last?.kind !== "control") return;
    const character = Array.from(last.text.slice(-2)).at(-1) ?? "";
    this.pieces.pop();
    this.add("control", last.text.slice(0, last.text.length - character.length));
    this.add("content", character);
  }

  replaceHeader(from: string, to: string): boolean {
    const last = this.pieces.at(-1);
    if (last?.kind !== "control") return false;
    const head = last.text.trimEnd();
    if (!head.endsWith(from)) return false;
    const text = head.slice(0, head.length - from.length) + to + last.text.slice(head.length);
    this.pieces[this.pieces.length - 1] = { kind: "control", text };
    return true;
  }
}
