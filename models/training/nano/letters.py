"""Questions about the letters of a word: counting, length, reversing, spelling.

The model sees tokens, not letters, so its thought first spells the word out and then works on that.
"""

from .draw import Draw, Task
from .vocabulary import TEST_WORDS, TRAIN_WORDS

CONSONANTS, VOWELS, ALPHABET = "bcdfghjklmnprstvwz", "aeiou", "abcdefghijklmnopqrstuvwxyz"

COUNT = [
    "How many {ch} are in {w}?", "How many times does the letter {ch} appear in {w}?", "Count the letter {ch} in {w}.",
    'How many "{ch}" in "{w}"?', "How many letters {ch} are in the word {w}?",
]  # fmt: skip
COUNT_DOUBLE = COUNT + ["How many {ch}'s are in {w}?", "{w}里有几个{ch}？"]
LENGTH = ["How many letters are in {w}?", "How long is the word {w}?", 'Count the letters of "{w}".']
REVERSE = [
    "Reverse the word {w}.", 'Reverse "{w}".', "Spell {w} backwards.", "What is {w} backwards?", "reverse {w}",
]  # fmt: skip
REVERSE_DOUBLE = [
    "Reverse the word {w}.", 'Reverse "{w}".', "Spell {w} backwards.", "reverse {w}", "Write {w} in reverse.",
]  # fmt: skip
SPELL = ["Spell the word {w}.", "Spell {w}.", "How do you spell {w}?"]


def draw_word(draw: Draw) -> str:
    """A listed word, in training also one that no list holds: every letter has to be read, none remembered."""
    if draw.held_out:
        return draw.pick(TEST_WORDS)
    if draw.chance(0.3):
        length = draw.whole(3, 9)
        if draw.chance(0.5):
            return "".join(draw.pick(CONSONANTS if (i + length) % 2 else VOWELS) for i in range(length))
        return "".join(draw.pick(ALPHABET) for _ in range(length))
    return draw.pick(TRAIN_WORDS)


def count_steps(word: str, letter: str) -> str:
    """`letter: l0 e0 t1 t2 e2 r2`: every letter with the count so far."""
    count, steps = 0, ""
    for x in word:
        count += x == letter
        steps += f" {x}{count}"
    return f"{word}:{steps}"


def reverse_steps(word: str) -> str:
    """`cat: c a t`, `rev t a c`."""
    return f"{word}:{''.join(' ' + x for x in word)}\nrev{''.join(' ' + x for x in word[::-1])}"


def count_letter(draw: Draw) -> Task:
    word = draw_word(draw)
    letter = draw.pick(word) if draw.chance(0.85) else draw.pick("aeirstnol")
    last = "{w}に{ch}はいくつありますか？" if draw.chance(0.3) else "Count {ch} in {w}"
    question = draw.pick(COUNT + [last]).format(w=word, ch=letter)
    return Task(question, count_steps(word, letter), str(word.count(letter)))


def word_length(draw: Draw) -> Task:
    word = draw_word(draw)
    steps = word + ":" + "".join(f" {x}{i + 1}" for i, x in enumerate(word))
    return Task(draw.pick(LENGTH).format(w=word), steps, str(len(word)))


def reverse_word(draw: Draw) -> Task:
    word = draw_word(draw)
    last = "{w}を逆にして" if draw.chance(0.3) else "Write {w} in reverse."
    question = draw.pick(REVERSE + [last]).format(w=word)
    return Task(question, reverse_steps(word), word[::-1], spelled=True)


def spell_word(draw: Draw) -> Task:
    word = draw_word(draw)
    return Task(draw.pick(SPELL).format(w=word), word, " ".join(word))


def _word_with_double_letter(draw: Draw) -> tuple[str, str]:
    for _ in range(50):
        word = draw_word(draw)
        if draw.chance(0.5):
            i = draw.random.randrange(1, len(word))
            word = word[:i] + word[i - 1] + word[i:]
        doubled = [x for x, before in zip(word[1:], word) if x == before]
        if doubled:
            return word[:11], doubled[0]
    return "letter", "t"


def double_letters(draw: Draw) -> Task:
    """Words with a doubled letter: the case where counting and reversing went wrong most."""
    word, letter = _word_with_double_letter(draw)
    if draw.chance(0.5):
        if draw.chance(0.3) and letter in word:
            word += draw.pick(["y", "er", letter, "e" + letter])
        question = draw.pick(COUNT_DOUBLE).format(w=word, ch=letter)
        return Task(question, count_steps(word, letter), str(word.count(letter)))
    return Task(draw.pick(REVERSE_DOUBLE).format(w=word), reverse_steps(word), word[::-1], spelled=True)
