"""The one source of chance, and the rule that keeps training and evaluation apart."""

import random
from dataclasses import dataclass
from typing import Callable, Sequence


@dataclass(frozen=True)
class Task:
    """A question, the steps that lead to its answer, and the answer."""

    question: str
    thought: str
    answer: str
    spelled: bool = False  # the answer is encoded letter by letter, so that the model need not know its tokens


def is_held_out(a: int, b: int) -> bool:
    """One operand pair in sixteen is never trained on; evaluation draws only these."""
    return (a * 7919 + b * 104729 + 13) % 16 == 0


class Draw:
    """Seeded random choices. The order of calls is part of the recipe: it decides what a seed produces."""

    def __init__(self, seed: int, held_out: bool = False):
        self.random = random.Random(seed)
        self.held_out = held_out

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def unit(self) -> float:
        """A number in [0, 1), for choices among more than two branches."""
        return self.random.random()

    def pick(self, options: Sequence):
        return self.random.choice(options)

    def weighted(self, options: Sequence[tuple]):
        """Picks from pairs of (option, weight)."""
        return self.random.choices([o for o, _ in options], [w for _, w in options])[0]

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return self.random.randint(low, high)

    def below(self, end: int) -> int:
        return self.random.randrange(end)

    def number(self, low_digits: int = 1, high_digits: int = 5) -> int:
        """A number whose count of digits is uniform: small numbers are as frequent as large ones."""
        digits = self.whole(low_digits, high_digits)
        return self.whole(10 ** (digits - 1) if digits > 1 else 0, 10**digits - 1)

    def operands(self, make: Callable[[], Sequence[int]]) -> tuple[int, int]:
        """Draws pairs until one falls on this draw's side of the held-out rule."""
        while True:
            a, b = make()
            if is_held_out(a, b) == self.held_out:
                return a, b
