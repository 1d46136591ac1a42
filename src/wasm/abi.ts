// The other half of wasm/glue/api.h: what the modules export, and how their structures lie in memory.
import type { ErrorCode } from "../errors.ts";

/** `ruminate_abi_version`. A module with another one is refused. */
export const abiVersion = 2;

/**
 * Of each export, the kinds of its arguments: `p` address or size, `i` 32-bit number, `l` 64-bit number; and what it
 * returns: `s` status, `p`, `i` or nothing.
 */
export const signatures = {
  ruminate_abi_version: ["", "i"],
  ruminate_start: ["i", "s"],
  ruminate_thread_stack: ["ppp", ""],
  ruminate_message: ["", "p"],
  ruminate_cancel_flag: ["", "p"],
  ruminate_loader_open: ["p", "s"],
  ruminate_loader_header: ["ppp", "s"],
  ruminate_loader_build: ["pp", "s"],
  ruminate_loader_tensor: ["plp", "s"],
  ruminate_loader_put: ["plpll", "s"],
  ruminate_loader_finish: ["pp", "s"],
  ruminate_loader_free: ["p", ""],
  ruminate_model_free: ["p", ""],
  ruminate_model_info_get: ["pp", "s"],
  ruminate_tokenize: ["pppiipp", "s"],
  ruminate_detokenize: ["pplipp", "s"],
  ruminate_token_ends: ["pi", "i"],
  ruminate_context_open: ["ppp", "s"],
  ruminate_context_free: ["p", ""],
  ruminate_evaluate: ["piipi", "s"],
  ruminate_sequence_remove: ["piii", "s"],
  ruminate_sequence_copy: ["piii", "s"],
  ruminate_sequence_shift: ["piii", "s"],
  ruminate_state_size: ["pip", "s"],
  ruminate_state_save: ["pipl", "s"],
  ruminate_state_restore: ["pipl", "s"],
  ruminate_embed: ["ppipp", "s"],
  ruminate_sampler_open: ["pppppip", "s"],
  ruminate_sampler_free: ["p", ""],
  ruminate_sampler_see: ["ppi", "s"],
  ruminate_sample: ["ppp", "s"],
  ruminate_logprobs: ["piipp", "s"],
  ruminate_logits: ["p", "p"],
  ruminate_schema_to_grammar: ["pp", "s"],
  malloc: ["p", "p"],
  free: ["p", ""],
} as const;

export type ExportName = keyof typeof signatures;

/** The statuses of api.h, as the codes of our errors; 0 is success. */
export const statusCodes: Readonly<Record<number, ErrorCode>> = {
  1: "unsupported",
  2: "format",
  3: "memory",
  4: "context-full",
  6: "grammar",
  7: "unsupported",
  8: "crashed",
};
export const cancelledStatus = 5;

/** A structure's fields in order, each 8 bytes: a 64-bit integer (`int`) or a double (`float`). */
export type Layout = Readonly<Record<string, "int" | "float">>;

export const tensorLayout = {
  shard: "int",
  offset: "int",
  size: "int",
  address: "int",
  granule: "int",
} as const;

export const modelInfoLayout = {
  vocabulary: "int",
  contextTrained: "int",
  embedding: "int",
  layers: "int",
  canDecode: "int",
  canRewind: "int",
  bos: "int",
  eos: "int",
  separator: "int",
  dotKind: "int",
} as const;

export const contextOptionsLayout = {
  size: "int",
  batch: "int",
  sequences: "int",
  typeK: "int",
  typeV: "int",
  flashAttention: "int",
  ropeType: "int",
  yarnOriginal: "int",
  ropeScale: "float",
  pooling: "int",
} as const;

export const samplingLayout = {
  temperature: "float",
  topK: "int",
  topP: "float",
  minP: "float",
  penaltyLast: "int",
  repeatPenalty: "float",
  frequencyPenalty: "float",
  presencePenalty: "float",
  seed: "int",
} as const;

/** A structure as numbers: every integer in it is one that a double holds exactly. */
export type Fields<L extends Layout> = { readonly [Name in keyof L]: number };

/** Numbers of llama.h and ggml.h. */
export const ggmlTypes = { f16: 1, q8_0: 8, q4_0: 2 } as const;
export const ropeTypes = { asFile: -1, yarn: 2 } as const;
export const poolingTypes = { off: -2, asFile: -1, mean: 1 } as const;
