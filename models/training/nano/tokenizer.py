"""Byte-level BPE: GPT-2's byte alphabet, the pre-tokenizer that llama.cpp calls "glm4", one token a digit.

The merges of record are merges.txt, the ones inside the shipped model.
"""

import collections
import functools
import re
import sys
import unicodedata
from pathlib import Path
from typing import Iterable

CONTROLS = [
    "<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>", "<|assistant|>",
    "<|observation|>", "<think>", "</think>",
]  # fmt: skip
MERGES_FILE = Path(__file__).parent / "merges.txt"


def _class_of(initial: str) -> str:
    """A regex character class of every code point whose Unicode category starts with a letter: "L", "N"."""
    ranges, start = [], None
    for code in range(sys.maxunicode + 2):
        inside = code <= sys.maxunicode and unicodedata.category(chr(code))[0] == initial
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            ranges.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = None
    return "".join(ranges)


@functools.cache
def pieces_pattern() -> re.Pattern:
    """Text is cut here first; merges never cross a cut. Python's `re` has no \\p{L}, so the classes are spelled out."""
    letter, number = _class_of("L"), _class_of("N")
    return re.compile(
        "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
        f"|[^\\r\\n{letter}{number}]?[{letter}]+"
        f"|[{number}]{{1,3}}"
        f"| ?[^\\s{letter}{number}]+[\\r\\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def _byte_alphabet() -> list[str]:
    """A printable character for each byte, as in GPT-2: printable bytes stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


BYTE_TO_CHAR = _byte_alphabet()
CHAR_TO_BYTE = {char: byte for byte, char in enumerate(BYTE_TO_CHAR)}


def to_alphabet(text: str) -> str:
    return "".join(BYTE_TO_CHAR[byte] for byte in text.encode())


def learn_merges(texts: Iterable[str], vocabulary_size: int = 1024) -> list[tuple[str, str]]:
    """Merges the most frequent pair until the vocabulary is full. Digits never merge."""
    piece_counts = collections.Counter()
    for text in texts:
        piece_counts.update(pieces_pattern().findall(text))
    words: list[tuple[list[str], int]] = []
    for piece, count in piece_counts.items():
        if any(ch.isdigit() for ch in piece):
            continue
        if piece[0] != " " and not piece[0].isalpha() and any(ch.isalpha() for ch in piece):
            piece = piece[1:]  # a quote or bracket before a word is no reason for a token of its own
        words.append((list(to_alphabet(piece)), count))

    pairs = collections.Counter()
    words_with = collections.defaultdict(set)
    for i, (word, count) in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += count
            words_with[pair].add(i)
    merges: list[tuple[str, str]] = []
    while 256 + len(merges) + len(CONTROLS) < vocabulary_size:
        best, frequency = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if frequency < 2:
            break
        merges.append(best)
        for i in list(words_with[best]):
            word, count = words[i]
            for pair in zip(word, word[1:]):
                pairs[pair] -= count
                if pairs[pair] <= 0:
                    del pairs[pair]
                words_with[pair].discard(i)
            merged = _merge(word, best)
            words[i] = (merged, count)
            for pair in zip(merged, merged[1:]):
                pairs[pair] += count
                words_with[pair].add(i)
    return merges


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def read_merges(file: Path = MERGES_FILE) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf8").splitlines()
    return [(first, second) for first, second in (line.split(" ") for line in lines)]


def write_merges(file: Path, merges: list[tuple[str, str]]) -> None:
    file.write_text("".join(f"{a} {b}\n" for a, b in merges), encoding="utf8")


class Tokenizer:
    """Ids 0 to 255 are bytes, then the merges in order, then the control tokens."""

    def __init__(self, merges: list[tuple[str, str]]):
        self.merges = merges
        self.tokens = BYTE_TO_CHAR + [a + b for a, b in merges] + CONTROLS
        self.first_control = len(self.tokens) - len(CONTROLS)
        self.id = {token: i for i, token in enumerate(self.tokens)}
        if len(self.id) != len(self.tokens):
            raise ValueError("Cannot build the tokenizer: two merges give the same token")
        self._rank = {pair: i for i, pair in enumerate(merges)}
        self._cache: dict[str, list[int]] = {}
        self._control_pattern = re.compile("(" + "|".join(map(re.escape, CONTROLS)) + ")")

    def encode(self, text: str) -> list[int]:
        """Plain text: control tokens in it stay text."""
        ids: list[int] = []
        for piece in pieces_pattern().findall(text):
            if piece not in self._cache:
                self._cache[piece] = self._encode_piece(piece)
            ids += self._cache[piece]
        return ids

    def encode_prompt(self, text: str) -> list[int]:
        """Text in which control tokens are control tokens."""
        ids: list[int] = []
        for part in self._control_pattern.split(text):
            ids += [self.id[part]] if part in CONTROLS else self.encode(part)
        return ids

    def encode_letters(self, text: str) -> list[int]:
        """One token a letter (ASCII), which is how the model writes a word that it has built letter by letter."""
        return [self.id[to_alphabet(letter)] for letter in text]

    def decode(self, ids: Iterable[int]) -> str:
        out = b""
        for i in ids:
            token = self.tokens[i]
            out += token.encode() if i >= self.first_control else bytes(CHAR_TO_BYTE[ch] for ch in token)
        return out.decode(errors="replace")

    def _encode_piece(self, piece: str) -> list[int]:
        word = list(to_alphabet(piece))
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if best not in self._rank:
                break
            word = _merge(word, best)
        return [self.id[part] for part in word]
