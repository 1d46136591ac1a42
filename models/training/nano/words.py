"""How the word list was made: the frequent plain words of free documentation, split by hash.

The list of record is words.json; it was counted on one machine and another machine's documents give another list.
usage: python3 -m nano.words OUT.json FILE_OR_FOLDER...
"""

import collections
import hashlib
import json
import re
import sys
from pathlib import Path

ALWAYS = (
    "strawberry banana apple orange cherry planet rabbit monkey window garden pencil mirror letter summer winter "
    "river ocean island bottle butter kitten puppy tiger zebra violet yellow purple silver golden bridge castle forest "
    "desert rocket wizard dragon music guitar piano violin dinner coffee cookie potato tomato carrot pepper salmon turtle "
    "parrot eagle falcon hammer basket blanket pillow candle mountain valley thunder rainbow"
).split()
VOWELS = set("aeiouy")


def is_test_word(word: str) -> bool:
    return int(hashlib.md5(word.encode()).hexdigest(), 16) % 10 == 0


def is_wordlike(word: str) -> bool:
    letters = set(word)
    return bool(letters & VOWELS) and bool(letters - VOWELS) and not re.search(r"(.)\1\1", word)


def collect(texts, size: int = 4000) -> dict[str, list[str]]:
    """Counts words of 3 to 9 lower-case letters and keeps the most frequent ones."""
    count = collections.Counter()
    for text in texts:
        count.update(re.findall(r"(?<![\w/.$-])[a-z]{3,9}(?![\w/$-])", text))
    frequent = [word for word, n in count.most_common(9000) if n >= 3 and is_wordlike(word)]
    words = list(dict.fromkeys(ALWAYS + frequent))[:size]
    return {"train": [w for w in words if not is_test_word(w)], "test": [w for w in words if is_test_word(w)]}


def read_texts(places):
    for place in map(Path, places):
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and file.suffix in ("", ".md", ".txt", ".py", ".rst"):
                yield file.read_text(encoding="utf8", errors="ignore")[:200_000]


if __name__ == "__main__":
    lists = collect(read_texts(sys.argv[2:]))
    Path(sys.argv[1]).write_text(json.dumps(lists))
    print(len(lists["train"]), "training words,", len(lists["test"]), "held out")
