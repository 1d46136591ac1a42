import { StrayTagFilter } from "./stray-tag-filter.ts";
import { TagScanner } from "./tag-scanner.ts";
import type { SplitPart } from "./tag-scanner.ts";
import type { ReasoningTags } from "./tags.ts";
import { resolveTags } from "./tags.ts";

/** A model that insists on ending its thoughts is let go after this many nudges. */
const maxNudges = 8;
const defaultNudge = "Wait, ";

/** Text that the next round begins with, after the prompt: what was said so far, or a tag that was put there. */
export interface RoundSegment {
  /** "control": tags in it are read as such. "content": it is text, whatever it spells. */
  readonly kind: "content" | "control";
  /** Follows the segment before it with nothing between. */
  readonly text: string;
}

/** How long a model may and must think. Counts are tokens. */
export interface BudgetRules {
  /** Whether the prompt ends inside a thinking block. */
  readonly open: boolean;
  /** Default `<think>` and `</think>`. */
  readonly tags?: ReasoningTags | undefined;
  /** All blocks together; default: no cap. It wins over `minimum`. */
  readonly budget?: number | undefined;
  /** A closing tag that comes sooner is replaced by `nudge`; default 0. */
  readonly minimum?: number | undefined;
  /** Default "Wait, ". */
  readonly nudge?: string | undefined;
  /** The last thought of a block that is closed for the model; default: none. */
  readonly message?: string | undefined;
  /** Gives the answer a round of its own, for a grammar that is not to bind the thoughts; default false. */
  readonly answerApart?: boolean | undefined;
}

/** One step of a model's output: its text, which may be empty, and how many tokens were sampled for it. */
export interface Piece {
  /** Any length: tags may be cut anywhere. */
  readonly text: string;
  /** Sampled since the piece before. */
  readonly tokens: number;
}

/** What a piece of output came to. */
export interface Step {
  /** What can be shown now. */
  readonly parts: SplitPart[];
  /** True: stop the model and run it again, on the prompt and `soFar`. */
  readonly restart: boolean;
  /** Whether what was held back until now is in none of the parts, since it was a tag. */
  readonly passedTag: boolean;
  /** Whether the end of this piece is held back: it will be in a later part, or be a tag. */
  readonly isHolding: boolean;
}

/**
 * Watches a model think, and decides when a block is closed for it and when it has to think on. Pure: it takes pieces of
 * output and says what to show and whether to start another round; the rounds are run elsewhere.
 *
 * Whatever happens, `soFar` is what was shown, with the tags between: a new round sees exactly what the user saw.
 */
export class ThinkingBudget {
  readonly #tags: ReasoningTags;
  readonly #budget: number;
  readonly #minimum: number;
  readonly #nudge: string;
  readonly #message: string;
  readonly #answerApart: boolean;
  readonly #scanner: TagScanner;
  readonly #soFar: RoundSegment[] = [];
  /** What this round has sampled. */
  #raw = "";
  #nudges = 0;
  #forced: "budget" | "user" | undefined;
  #stray: StrayTagFilter | undefined;
  #endRequested = false;
  #reasoningTokens = 0;
  #textTokens = 0;
  /** Sampled for what may still become an opening tag. */
  #undecidedTokens = 0;

  /**
   * Watches one run.
   *
   * @throws {TypeError} if the tags are blank or one is part of the other, or if `nudge` or `message` holds one
   */
  constructor(rules: BudgetRules) {
    this.#tags = resolveTags(rules.tags);
    this.#budget = rules.budget ?? Infinity;
    this.#minimum = Math.min(rules.minimum ?? 0, this.#budget);
    this.#nudge = rules.nudge ?? defaultNudge;
    this.#message = rules.message ?? "";
    for (const [name, text] of Object.entries({ nudge: this.#nudge, "onBudget.message": this.#message })) {
      if (typeof text !== "string" || text.includes(this.#tags.close) || text.includes(this.#tags.open)) {
        throw new TypeError(
          `Cannot think by these rules: ${name} is ${JSON.stringify(text)}; it must be a string without tags`,
        );
      }
    }
    this.#answerApart = rules.answerApart ?? false;
    const mayClose = (): boolean => !this.#answerApart && !this.#wantsMore;
    this.#scanner = new TagScanner(this.#tags, { open: rules.open, mayClose });
  }

  /** The end of the next round's prompt. */
  get soFar(): readonly RoundSegment[] {
    return this.#soFar;
  }

  /** Tokens sampled so far. */
  get usage(): {
    /** Of thoughts and of tags. */
    readonly reasoning: number;
    /** Of the answer. */
    readonly text: number;
  } {
    return { reasoning: this.#reasoningTokens, text: this.#textTokens + this.#undecidedTokens };
  }

  /** How the last block ended: "none" if there was none, "cut" if it did not end. */
  get reasoningEnd(): "model" | "budget" | "user" | "none" | "cut" {
    if (this.#scanner.inside) return "cut";
    return this.#forced ?? (this.#scanner.closedBlocks > 0 ? "model" : "none");
  }

  /** Whether the next token belongs to a thought. */
  get isThinking(): boolean {
    return this.#scanner.inside;
  }

  /** Whether the open block is to be closed now. */
  get isSpent(): boolean {
    return this.#scanner.inside && (this.#endRequested || this.#reasoningTokens >= this.#budget);
  }

  /** From now on every open block is closed at once. */
  endReasoning(): void {
    this.#endRequested = true;
  }

  /** Call before each round: closes the block where that is due already. */
  begin(): SplitPart[] {
    return this.isSpent ? this.#close() : [];
  }

  /** Takes a piece of output. After a step that says `restart`, what this round sampled later is not wanted. */
  push({ text, tokens }: Piece): Step {
    const { inside: wasInside, closedBlocks } = this.#scanner;
    this.#undecidedTokens += tokens;
    if (this.#answerApart && !wasInside) {
      // Whatever binds the answer may ask for the very text of a tag.
      this.#settle();
      return { parts: text === "" ? [] : [{ type: "text", text }], restart: false, passedTag: false, isHolding: false };
    }
    if (wasInside) this.#settle();
    this.#raw += text;
    const { parts, refused } = this.#scanner.push(text);
    if (refused > 0) {
      const shown = this.#shown(parts);
      this.#keep(refused);
      if (this.#wantsMore) return this.#restart([...shown, ...this.#thinkOn()]);
      this.#leave();
      return this.#restart(shown);
    }
    if (this.#scanner.inside || !this.#scanner.isHolding) this.#settle();
    const passedTag = this.#scanner.inside !== wasInside || this.#scanner.closedBlocks !== closedBlocks;
    const shown = this.#shown(parts);
    if (this.isSpent) return this.#restart([...shown, ...this.#close()]);
    return { parts: shown, restart: false, passedTag, isHolding: this.#scanner.isHolding };
  }

  /** The end of all output: what was held back and is text after all. */
  end(): SplitPart[] {
    this.#settle();
    return [...this.#shown(this.#scanner.flush()), ...(this.#stray?.flush() ?? [])];
  }

  #restart(parts: SplitPart[]): Step {
    return { parts, restart: true, passedTag: true, isHolding: false };
  }

  #settle(): void {
    if (this.#scanner.inside) this.#reasoningTokens += this.#undecidedTokens;
    else this.#textTokens += this.#undecidedTokens;
    this.#undecidedTokens = 0;
  }

  get #wantsMore(): boolean {
    return !this.#endRequested && this.#reasoningTokens < this.#minimum && this.#nudges < maxNudges;
  }

  /** Puts the nudge in the place of a closing tag that came too soon. */
  #thinkOn(): SplitPart[] {
    this.#nudges += 1;
    return this.#say(this.#nudge);
  }

  /** Closes the block for the model. */
  #close(): SplitPart[] {
    this.#keep(this.#scanner.dropPartialTag());
    const parts = this.#message === "" ? [] : this.#say(this.#message);
    this.#forced = this.#endRequested ? "user" : "budget";
    this.#stray ??= new StrayTagFilter(this.#tags.close);
    this.#leave();
    return parts;
  }

  /** Writes the closing tag into the prompt of the next round. */
  #leave(): void {
    this.#scanner.flush();
    this.#soFar.push({ kind: "control", text: `${this.#lineBreak}${this.#tags.close}\n` });
    this.#scanner.close();
  }

  /** Moves what this round has sampled to the prompt, without its last `cut` characters and the line breaks before. */
  #keep(cut: number): void {
    const text = this.#raw.slice(0, this.#raw.length - cut).replace(/[\r\n]+$/, "");
    if (text !== "") this.#soFar.push({ kind: "content", text });
    this.#raw = "";
    this.#scanner.flush();
  }

  /** Thinks `text` in the model's place. */
  #say(text: string): SplitPart[] {
    const line = this.#lineBreak + text;
    this.#soFar.push({ kind: "content", text: line });
    return this.#scanner.push(line).parts;
  }

  /** Before something on a line of its own; right after the prompt, the line is new already. */
  get #lineBreak(): string {
    return this.#soFar.length === 0 ? "" : "\n";
  }

  #shown(parts: readonly SplitPart[]): SplitPart[] {
    const stray = this.#stray;
    return stray ? parts.flatMap((part) => (part.type === "text" ? stray.push(part.text) : [part])) : [...parts];
  }
}
