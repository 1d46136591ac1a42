import type { ModelFacts } from "./engine.ts";

// llama.cpp takes these for ends by their text, which it no longer sees once control tokens are respelled.
const endTexts = [
  "<|endoftext|>",
  "<|im_end|>",
  "<|eot_id|>",
  "<|eom_id|>",
  "<|end|>",
  "<|end_of_text|>",
  "<end_of_turn>",
  "<end_of_utterance>",
  "<|return|>",
  "<|call|>",
  "<|eot|>",
  "<|END_OF_TURN_TOKEN|>",
  "<｜end▁of▁sentence｜>",
  "</s>",
  "<EOT>",
  "[EOT]",
  "[EOS]",
];
/** A file's header can name three: end of sequence, of turn, of message. */
const places = 3;

/** The tokens that are to end a completion, as many as a header can name, and a sentence on those that are left out. */
export function modelEnds({ endTokens, controlTokens }: ModelFacts): {
  ids: readonly number[];
  why: readonly string[];
} {
  const byText = endTexts.map((text) => controlTokens.get(text)).filter((id) => id !== undefined);
  const all = [...new Set([...endTokens, ...byText])];
  const left = endTokens.filter((id) => all.indexOf(id) >= places);
  const why =
    left.length > 0
      ? [`Generation does not end at the tokens ${left.join(", ")}: wllama can be told of ${places} end tokens.`]
      : [];
  return { ids: all.slice(0, places), why };
}
