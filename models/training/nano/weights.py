"""The trainer's flat f32 file, cut into named arrays. The order is that of trainer/parameters.h."""

from pathlib import Path

import numpy as np

VOCABULARY, WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_WIDTH, ROTARY, HIDDEN, CONTEXT = 1024, 256, 6, 4, 2, 64, 32, 512, 512
NORM_EPSILON, ROPE_BASE = 1e-5, 10000.0
Q_WIDTH, KV_WIDTH = HEADS * HEAD_WIDTH, KV_HEADS * HEAD_WIDTH
QKV_WIDTH = Q_WIDTH + 2 * KV_WIDTH

LAYER_SHAPES = {
    "attention_norm": (WIDTH,),
    "qkv": (QKV_WIDTH, WIDTH),
    "qkv_bias": (QKV_WIDTH,),
    "attention_out": (WIDTH, Q_WIDTH),
    "post_attention_norm": (WIDTH,),
    "mlp_norm": (WIDTH,),
    "gate_up": (2 * HIDDEN, WIDTH),
    "down": (WIDTH, HIDDEN),
    "post_mlp_norm": (WIDTH,),
}
SHAPES = {
    "embedding": (VOCABULARY, WIDTH),
    **{f"{layer}.{name}": shape for layer in range(LAYERS) for name, shape in LAYER_SHAPES.items()},
    "final_norm": (WIDTH,),
    "output": (VOCABULARY, WIDTH),
}
SIZE = sum(int(np.prod(shape)) for shape in SHAPES.values())


def split(flat: np.ndarray) -> dict[str, np.ndarray]:
    if flat.size != SIZE:
        raise ValueError(f"Cannot cut the weights: {flat.size} numbers, expected {SIZE}")
    named, start = {}, 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        named[name] = flat[start : start + size].reshape(shape)
        start += size
    return named


def read(file: Path) -> dict[str, np.ndarray]:
    return split(np.fromfile(file, "<f4"))


# The trainer's name in a layer -> llama.cpp's
GGUF_LAYER_NAMES = {
    "attention_norm": "attn_norm.weight",
    "attention_out": "attn_output.weight",
    "post_attention_norm": "post_attention_norm.weight",
    "mlp_norm": "ffn_norm.weight",
    "gate_up": "ffn_up.weight",
    "down": "ffn_down.weight",
    "post_mlp_norm": "post_ffw_norm.weight",
}
QKV_PARTS = (("q", 0, Q_WIDTH), ("k", Q_WIDTH, Q_WIDTH + KV_WIDTH), ("v", Q_WIDTH + KV_WIDTH, QKV_WIDTH))


def to_gguf_names(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    tensors = {"token_embd.weight": weights["embedding"]}
    for layer in range(LAYERS):
        for name in LAYER_SHAPES:
            if name == "qkv_bias":
                continue
            if name != "qkv":
                tensors[f"blk.{layer}.{GGUF_LAYER_NAMES[name]}"] = weights[f"{layer}.{name}"]
                continue
            for part, start, end in QKV_PARTS:
                tensors[f"blk.{layer}.attn_{part}.weight"] = weights[f"{layer}.qkv"][start:end]
                tensors[f"blk.{layer}.attn_{part}.bias"] = weights[f"{layer}.qkv_bias"][start:end]
    return tensors | {"output_norm.weight": weights["final_norm"], "output.weight": weights["output"]}


def from_gguf_names(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    weights = {"embedding": tensors["token_embd.weight"]}
    for layer in range(LAYERS):
        of_layer = {name: tensors[f"blk.{layer}.{gguf}"] for name, gguf in GGUF_LAYER_NAMES.items()}
        of_layer["qkv"] = np.concatenate([tensors[f"blk.{layer}.attn_{part}.weight"] for part, _, _ in QKV_PARTS])
        of_layer["qkv_bias"] = np.concatenate([tensors[f"blk.{layer}.attn_{part}.bias"] for part, _, _ in QKV_PARTS])
        weights |= {f"{layer}.{name}": of_layer[name] for name in LAYER_SHAPES}
    return weights | {"final_norm": tensors["output_norm.weight"], "output": tensors["output.weight"]}
