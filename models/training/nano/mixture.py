"""How often each task is drawn, in the mixtures of the recipe."""

from typing import NamedTuple

from .chat import UNKNOWN, chat
from .draw import Draw, Task
from .letters import count_letter, double_letters, reverse_word, spell_word, word_length
from .numbers import (
    addition,
    comparison,
    comparison_east,
    large_numbers,
    negative_difference,
    subtraction,
    times_digit,
    times_two_digits,
    word_problem,
)
from .tools import CROWDED, Problem, Step, calculation, look_up, look_up_without_tools, sum_of_two

# First stage: the tasks alone.
BASIC = [
    (addition, 16), (subtraction, 14), (times_digit, 9), (times_two_digits, 6), (comparison, 9), (count_letter, 11),
    (word_length, 2), (reverse_word, 12), (spell_word, 2), (word_problem, 12), (chat, 7),
]  # fmt: skip
# Later stages: weaker spots more often, and a quarter of the samples with tools.
FULL = [
    (addition, 13), (subtraction, 12), (times_digit, 8), (times_two_digits, 6), (comparison, 9), (count_letter, 9),
    (word_length, 2), (reverse_word, 12), (spell_word, 2), (word_problem, 11), (chat, 11), (negative_difference, 5),
    (comparison_east, 3), (double_letters, 7), (large_numbers, 6), (look_up_without_tools, 2),
]  # fmt: skip
# Last stages: what the stage of look-ups had made worse.
POLISH = [
    (addition, 12), (subtraction, 20), (times_digit, 8), (times_two_digits, 7), (comparison, 9), (count_letter, 9),
    (word_length, 2), (reverse_word, 22), (spell_word, 3), (word_problem, 12), (chat, 11), (negative_difference, 9),
    (comparison_east, 6), (double_letters, 7), (large_numbers, 10), (look_up_without_tools, 2),
]  # fmt: skip
# Asked while a calculator is listed but not needed.
NO_CALCULATOR = [(comparison, 3), (count_letter, 3), (word_length, 1), (reverse_word, 3), (word_problem, 3)]



class ToolMix(NamedTuple):
    """Shares of the samples with tools, and of each kind of problem among them; the rest needs none of the tools."""

    share: float
    one: float
    two: float
    three: float
    sum: float
    calculation: float
    crowded: float = CROWDED


# Several look-ups in a row, and the right line among many, were what the model did worst after four stages.
MIXTURES = {"basic": BASIC, "full": FULL, "look-ups": FULL, "polish": POLISH}
TOOLS = {
    "basic": ToolMix(0.0, 0.3, 0.28, 0.08, 0.11, 0.08),
    "full": ToolMix(0.27, 0.3, 0.28, 0.08, 0.11, 0.08),
    "look-ups": ToolMix(0.55, 0.14, 0.34, 0.18, 0.14, 0.06, crowded=0.65),
    "polish": ToolMix(0.38, 0.14, 0.34, 0.18, 0.14, 0.06, crowded=0.65),
}


def draw_task(draw: Draw, mixture: str) -> Task:
    return draw.weighted(MIXTURES[mixture])(draw)


def draw_tool_problem(draw: Draw, mixture: str) -> tuple[list[str], Problem]:
    """Names of the listed tools, and a problem that needs them or doesn't."""
    search = "search" if draw.chance(0.93) else draw.pick(["lookup", "find"])
    kind = draw.unit()
    both = draw.chance(0.35)
    names = draw.pick([[search, "calculator"], ["calculator", search]]) if both else [search]
    mix = TOOLS[mixture]
    for n_hops, share in ((1, mix.one), (2, mix.two), (3, mix.three)):
        if kind < share:
            return names, look_up(draw, n_hops, search, mix.crowded)
        kind -= share
    if kind < mix.sum:
        return names, sum_of_two(draw, both, search, mix.crowded)
    if kind < mix.sum + mix.calculation:
        return names if both else ["calculator"], calculation(draw)
    if not both and draw.chance(0.5):
        task = draw_task(draw, "full")
    else:
        task = draw.weighted(NO_CALCULATOR + [(chat, 6)])(draw)
    while task.answer == UNKNOWN:  # "I don't know" would be wrong here: there is a tool to ask
        task = draw.weighted(NO_CALCULATOR)(draw)
    return names, Problem(task.question, [Step.of(task)])
