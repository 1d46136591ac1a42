"""Writes a model file for llama.cpp from the trainer's weights.

usage: python3 -m nano.export WEIGHTS.bin OUT.gguf [--type q8_0|f16|f32] [--yarn FACTOR] [--merges FILE]
"""

import argparse
from pathlib import Path

from . import weights
from .gguf import BOOL, F16, F32, FLOAT32, INT32, Q8_0, STRING, UINT32, GgufWriter
from .tokenizer import MERGES_FILE, Tokenizer, read_merges

TYPES = {"f32": (F32, 0), "f16": (F16, 1), "q8_0": (Q8_0, 7)}  # tensor type, general.file_type
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
VISIBLE_CONTROLS = ("<think>", "</think>")  # user-defined, so that they stay in the text a caller sees
SPECIAL_TOKENS = {
    "eos": "<|endoftext|>",
    "padding": "<|endoftext|>",
    "unknown": "<|endoftext|>",
    "bos": "[gMASK]",
    "eot": "<|user|>",  # a turn ends where the next speaker's begins
    "eom": "<|observation|>",  # a message ends in a call; its result follows
}


def add_architecture(out: GgufWriter, file_type: int, yarn: float) -> None:
    out.add("general.architecture", STRING, "glm4")
    out.add("general.type", STRING, "model")
    out.add("general.name", STRING, "ruminate-nano")
    out.add("general.license", STRING, "mit")
    out.add("general.file_type", UINT32, file_type)
    out.add("general.quantization_version", UINT32, 2)
    out.add("general.sampling.temp", FLOAT32, 0.0)  # greedy: its thoughts are exact work, chance only spoils them
    out.add("glm4.block_count", UINT32, weights.LAYERS)
    out.add("glm4.context_length", UINT32, int(weights.CONTEXT * max(1, yarn)))
    out.add("glm4.embedding_length", UINT32, weights.WIDTH)
    out.add("glm4.feed_forward_length", UINT32, weights.HIDDEN)
    out.add("glm4.attention.head_count", UINT32, weights.HEADS)
    out.add("glm4.attention.head_count_kv", UINT32, weights.KV_HEADS)
    out.add("glm4.attention.key_length", UINT32, weights.HEAD_WIDTH)
    out.add("glm4.attention.value_length", UINT32, weights.HEAD_WIDTH)
    out.add("glm4.rope.dimension_count", UINT32, weights.ROTARY)
    out.add("glm4.vocab_size", UINT32, weights.VOCABULARY)
    out.add("glm4.rope.freq_base", FLOAT32, weights.ROPE_BASE)
    out.add("glm4.attention.layer_norm_rms_epsilon", FLOAT32, weights.NORM_EPSILON)
    if yarn > 1:
        out.add("glm4.rope.scaling.type", STRING, "yarn")
        out.add("glm4.rope.scaling.factor", FLOAT32, yarn)
        out.add("glm4.rope.scaling.original_context_length", UINT32, weights.CONTEXT)


def add_tokenizer(out: GgufWriter, tokenizer: Tokenizer) -> None:
    def kind(i: int, token: str) -> int:
        if i < tokenizer.first_control:
            return NORMAL
        return USER_DEFINED if token in VISIBLE_CONTROLS else CONTROL

    out.add("tokenizer.ggml.model", STRING, "gpt2")
    out.add("tokenizer.ggml.pre", STRING, "glm4")
    out.add_array("tokenizer.ggml.tokens", STRING, tokenizer.tokens)
    out.add_array("tokenizer.ggml.token_type", INT32, [kind(i, token) for i, token in enumerate(tokenizer.tokens)])
    out.add_array("tokenizer.ggml.merges", STRING, [" ".join(pair) for pair in tokenizer.merges])
    for role, token in SPECIAL_TOKENS.items():
        out.add(f"tokenizer.ggml.{role}_token_id", UINT32, tokenizer.id[token])
    out.add("tokenizer.ggml.add_bos_token", BOOL, False)  # the template writes [gMASK]<sop> itself
    out.add("tokenizer.ggml.add_eos_token", BOOL, False)
    template = (Path(__file__).parent / "template.jinja").read_text().rstrip("\n")
    out.add("tokenizer.chat_template", STRING, template)


def export(named: dict, out: Path, type_name: str = "q8_0", yarn: float = 1, merges: Path = MERGES_FILE) -> int:
    tensor_type, file_type = TYPES[type_name]
    writer = GgufWriter(tensor_type)
    add_architecture(writer, file_type, yarn)
    add_tokenizer(writer, Tokenizer(read_merges(merges)))
    for name, values in weights.to_gguf_names(named).items():
        writer.add_tensor(name, values)
    return writer.write(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--type", choices=list(TYPES), default="q8_0")
    parser.add_argument("--yarn", type=float, default=1)
    parser.add_argument("--merges", type=Path, default=MERGES_FILE)
    options = parser.parse_args()
    size = export(weights.read(options.weights), options.out, options.type, options.yarn, options.merges)
    print(f"{options.out}: {size} bytes")
