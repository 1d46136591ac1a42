import { readFileSync } from "node:fs";
import { createPromptRenderer, type PromptRenderer } from "../../../src/prompt/renderer.ts";

export type FixtureName =
  | "glm-z1"
  | "glm-z1-backslash"
  | "glm-z1-rumination"
  | "glm-4-0414"
  | "chatml-thinking"
  | "header-id";

export const controlTokens: readonly string[] = [
  "[gMASK]",
  "<sop>",
  "<|endoftext|>",
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|observation|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|begin_of_text|>",
  "<|start_header_id|>",
  "<|end_header_id|>",
  "<|eot_id|>",
];

export function fixture(name: FixtureName): string {
  return readFileSync(new URL(`../../fixtures/templates/${name}.jinja`, import.meta.url), "utf8");
}

/** What the vocabulary of the header-id fixture says about its begin token. */
export const beginToken: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["tokenizer.ggml.tokens", ["a", "<|begin_of_text|>"]],
  ["tokenizer.ggml.bos_token_id", 1],
]);

export function rendererFor(
  template: string | undefined,
  metadata: ReadonlyMap<string, unknown> = new Map(),
): PromptRenderer {
  return createPromptRenderer({ template, metadata, controlTokens });
}
