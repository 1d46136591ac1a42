import type { TokenLogprob } from "../index.ts";

/** A token as OpenAI's chat API tells of it. */
export function chatLogprob({ text, logprob, top }: TokenLogprob): object {
  return { ...named({ text, logprob }), top_logprobs: (top ?? []).map(named) };
}

function named({ text, logprob }: Pick<TokenLogprob, "text" | "logprob">): object {
  // A piece of a character has no bytes that a text could hold.
  const bytes = text.includes("\ufffd") ? null : [...new TextEncoder().encode(text)];
  return { token: text, logprob: finite(logprob), bytes };
}

/** Tokens as OpenAI's older API tells of them: in columns. */
export function completionLogprobs(tokens: readonly TokenLogprob[], from: number): object {
  let offset = from;
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => finite(logprob)),
    top_logprobs: tokens.map(({ top = [] }) =>
      Object.fromEntries(top.map(({ text, logprob }) => [text, finite(logprob)])),
    ),
    text_offset: tokens.map(({ text }) => {
      const at = offset;
      offset += text.length;
      return at;
    }),
  };
}

/** JSON knows no infinity; OpenAI writes this for what can't be. */
function finite(logprob: number): number {
  return Math.max(logprob, -9999);
}
