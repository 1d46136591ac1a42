"""The model once more, in numpy and f64, written for reading: what the trainer and llama.cpp are checked against.

usage: python3 -m nano.reference gradient CHECK.bin        against a file of `trainer check=CHECK.bin`
       python3 -m nano.reference agree MODEL.gguf ANSWERS.json  against llama.cpp's answers of check/agree.mjs
"""

import json
import sys
from pathlib import Path

import numpy as np

from . import weights
from .gguf import read_gguf
from .tokenizer import Tokenizer


def rms_norm(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + weights.NORM_EPSILON) * weight


def rotate(x: np.ndarray) -> np.ndarray:
    """x [..., tokens, head width]: pairs (2i, 2i + 1) of the first dimensions turn with the position."""
    half = weights.ROTARY // 2
    angles = np.arange(x.shape[-2])[:, None] * weights.ROPE_BASE ** (-2 * np.arange(half) / weights.ROTARY)
    cosine, sine = np.cos(angles), np.sin(angles)
    even, odd = x[..., 0 : weights.ROTARY : 2], x[..., 1 : weights.ROTARY : 2]
    out = x.copy()
    out[..., 0 : weights.ROTARY : 2] = even * cosine - odd * sine
    out[..., 1 : weights.ROTARY : 2] = odd * cosine + even * sine
    return out


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(x: np.ndarray, w: dict, layer: int) -> np.ndarray:
    tokens = x.shape[0]
    qkv = x @ w[f"{layer}.qkv"].T + w[f"{layer}.qkv_bias"]
    heads = qkv.reshape(tokens, -1, weights.HEAD_WIDTH).transpose(1, 0, 2)
    n_q, n_kv = weights.HEADS, weights.KV_HEADS
    q, k, v = rotate(heads[:n_q]), rotate(heads[n_q : n_q + n_kv]), heads[n_q + n_kv :]
    k, v = np.repeat(k, n_q // n_kv, 0), np.repeat(v, n_q // n_kv, 0)
    future = np.triu(np.full((tokens, tokens), -np.inf), 1)
    mixed = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(weights.HEAD_WIDTH) + future) @ v
    return mixed.transpose(1, 0, 2).reshape(tokens, -1) @ w[f"{layer}.attention_out"].T


def mlp(x: np.ndarray, w: dict, layer: int) -> np.ndarray:
    gate, up = np.split(x @ w[f"{layer}.gate_up"].T, 2, -1)
    return (gate / (1 + np.exp(-gate)) * up) @ w[f"{layer}.down"].T


def logits(ids, w: dict) -> np.ndarray:
    """[tokens, vocabulary] for one sequence."""
    x = w["embedding"][np.asarray(ids)]
    for i in range(weights.LAYERS):
        x = x + rms_norm(attention(rms_norm(x, w[f"{i}.attention_norm"]), w, i), w[f"{i}.post_attention_norm"])
        x = x + rms_norm(mlp(rms_norm(x, w[f"{i}.mlp_norm"]), w, i), w[f"{i}.post_mlp_norm"])
    return rms_norm(x, w["final_norm"]) @ w["output"].T


def in_f64(named: dict) -> dict:
    return {name: values.astype(np.float64) for name, values in named.items()}


# --- against the trainer --------------------------------------------------------------------------------------------


def check_gradient(file: Path) -> float:
    """Compares loss and gradient; returns the largest relative error.

    The gradient along a direction must equal the loss's change along it: for each parameter array along its gradient,
    which finds wrong sizes, and along a random direction, which finds parts that the gradient lacks.
    """
    data = file.read_bytes()
    rows, length = (int(x) for x in np.frombuffer(data, "<i4", 2))
    trainer_loss = float(np.frombuffer(data, "<f4", 1, 8)[0])
    n, at = rows * length, 12
    inputs = np.frombuffer(data, "<u2", n, at).reshape(rows, length)
    targets = np.frombuffer(data, "<u2", n, at + 2 * n).reshape(rows, length)
    share = np.frombuffer(data, "<f4", n, at + 4 * n).reshape(rows, length).astype(np.float64)
    w = in_f64(weights.split(np.frombuffer(data, "<f4", weights.SIZE, at + 8 * n)))
    gradient = in_f64(weights.split(np.frombuffer(data, "<f4", weights.SIZE, at + 8 * n + 4 * weights.SIZE)))

    def loss() -> float:
        total = 0.0
        for row in range(rows):
            p = softmax(logits(inputs[row], w))[np.arange(length), targets[row]]
            total -= (np.log(p) * share[row]).sum()
        return total / share.sum()

    def change_along(array: np.ndarray, direction: np.ndarray) -> float:
        original = array.copy()
        step = 1e-4 * np.linalg.norm(original) if original.any() else 1e-3
        array[...] = original + step * direction
        above = loss()
        array[...] = original - step * direction
        change = (above - loss()) / (2 * step)
        array[...] = original
        return change

    random = np.random.default_rng(1)
    worst = abs(loss() - trainer_loss) / trainer_loss
    print(f"loss {loss():.6f}, the trainer's {trainer_loss:.6f}")
    for name, array in w.items():
        size = np.linalg.norm(gradient[name])
        along = abs(change_along(array, gradient[name] / size) - size) / size
        across = random.standard_normal(array.shape)
        across /= np.linalg.norm(across)
        typical = size / np.sqrt(array.size)  # what a random direction sees of the gradient
        aside = abs(change_along(array, across) - (gradient[name] * across).sum()) / typical
        worst = max(worst, along, aside)
        print(f"{name:24} |gradient| {size:.4e}  error along it {along:.1e}, along a random direction {aside:.1e}")
    print(f"largest error {worst:.1e}")
    return worst


# --- against llama.cpp ----------------------------------------------------------------------------------------------


def check_answers(model: Path, answers: Path) -> int:
    """Compares tokenization, logits and every greedy choice; returns how many answers differ."""
    metadata, tensors = read_gguf(model)
    w = in_f64(weights.from_gguf_names(tensors))
    tokenizer = Tokenizer([tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]])
    differing, furthest = 0, 0.0
    for item in json.loads(answers.read_text()):
        ids, generated = item["ids"], item["generated"]
        same_ids = tokenizer.encode_prompt(item["prompt"]) == ids
        computed = logits(ids + generated, w)[len(ids) - 1 :]
        furthest = max(furthest, np.abs(computed[0] - item["logits"]).max())
        choices = computed.argmax(-1)
        same_choices = choices[: len(generated)].tolist() == generated
        differing += not (same_ids and same_choices)
        if not same_ids:
            print(f"tokenized differently: {item['prompt']!r}")
        if not same_choices:
            i = int((choices[: len(generated)] != generated).argmax())
            margin = computed[i].max() - computed[i][generated[i]]
            print(f"token {i} of {item['text']!r} differs from the reference's choice by a logit of {margin:.4f}")
    print(f"{differing} answers differ; largest difference of logits {furthest:.4f}")
    return differing


if __name__ == "__main__":
    command, *files = sys.argv[1:] or ["help"]
    if command == "gradient":
        sys.exit(int(check_gradient(Path(files[0])) > 0.05))
    elif command == "agree":
        sys.exit(int(check_answers(Path(files[0]), Path(files[1])) > 0))
    else:
        sys.exit(__doc__)
