"""Writes training data, or learns a tokenizer from the same texts.

usage: python3 -m nano.data samples OUT.bin --mixture basic|full|look-ups|polish --tokens N --seed N [--long] [--merges FILE]
       python3 -m nano.data tokenizer OUT.txt [--seed N]

OUT.bin, little-endian: int64 samples, int64 tokens, int64 offsets[samples + 1], uint16 ids[tokens],
uint8 weights[tokens] (percent of each token's loss).
"""

import argparse
import array
import sys
from pathlib import Path

from .chat import SMALL_TALK
from .conversation import LONG_LENGTH, SYSTEM_PROMPTS, TRAINED_LENGTH, draw_sample
from .draw import Draw
from .mixture import MIXTURES, draw_task
from .numbers import follow_up
from .recall import recall
from .tokenizer import MERGES_FILE, Tokenizer, learn_merges, read_merges, write_merges
from .vocabulary import ADJECTIVES, GOODS, KEYS, NAMES, NOUNS, TRAIN_WORDS, VERBS


def write_samples(out: Path, mixture: str, n_tokens: int, seed: int, long: bool, merges: Path) -> str:
    tokenizer, draw = Tokenizer(read_merges(merges)), Draw(seed)
    longest = LONG_LENGTH if long else TRAINED_LENGTH
    offsets, ids, weights, skipped = array.array("q", [0]), array.array("H"), array.array("B"), 0
    while len(ids) < n_tokens:
        sample = draw_sample(draw, tokenizer, mixture, long)
        if len(sample.ids) > longest:
            skipped += 1
            continue
        ids.extend(sample.ids)
        weights.extend(sample.weights)
        offsets.append(len(ids))
    columns = [array.array("q", [len(offsets) - 1, len(ids)]), offsets, ids, weights]
    with out.open("wb") as file:
        for column in columns:
            if sys.byteorder == "big":
                column.byteswap()
            column.tofile(file)
    return f"{len(offsets) - 1} samples, {len(ids)} tokens, {skipped} too long and skipped"


def tokenizer_texts(seed: int):
    """Texts whose word counts resemble the training data's."""
    draw = Draw(seed)
    for _ in range(40_000):
        task = draw_task(draw, "full")
        yield from (task.question, task.thought)
        if not task.spelled:
            yield task.answer
    for _ in range(1500):
        context, ask = recall(draw, 8, 3)
        task = ask(0)
        yield from (context, task.question, task.thought, task.answer)
    for _ in range(3000):
        yield follow_up(draw, draw.number(1, 4))[0].question
    yield from SYSTEM_PROMPTS * 200
    yield from (" " + word for word in (KEYS + NAMES + GOODS + ADJECTIVES + NOUNS + VERBS) * 60 + TRAIN_WORDS * 2)
    for questions, thought, answer in SMALL_TALK:
        yield from (questions + [thought, answer]) * 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    samples = commands.add_parser("samples")
    samples.add_argument("out", type=Path)
    samples.add_argument("--mixture", choices=list(MIXTURES), required=True)
    samples.add_argument("--tokens", type=float, required=True)
    samples.add_argument("--seed", type=int, required=True)
    samples.add_argument("--long", action="store_true", help="documents up to 2,048 tokens, for the YaRN variant")
    samples.add_argument("--merges", type=Path, default=MERGES_FILE)
    tokenizer = commands.add_parser("tokenizer")
    tokenizer.add_argument("out", type=Path)
    tokenizer.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.command == "samples":
        done = write_samples(
            options.out, options.mixture, int(options.tokens), options.seed, options.long, options.merges
        )
    else:
        merges = learn_merges(tokenizer_texts(options.seed))
        write_merges(options.out, merges)
        done = f"{len(Tokenizer(merges).tokens)} tokens"
    print(f"{options.out}: {done}")


if __name__ == "__main__":
    main()
