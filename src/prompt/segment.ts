/**
 * One stretch of a prompt. Control text may hold the model's special tokens (`<|user|>`); content never does, whatever
 * its characters spell; `tokens` are taken as they are.
 */
export type PromptSegment =
  | { readonly kind: "control"; readonly text: string }
  | { readonly kind: "content"; readonly text: string }
  | { readonly kind: "tokens"; readonly ids: Uint32Array };
