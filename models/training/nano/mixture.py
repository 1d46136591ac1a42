"""How often each task is drawn, in the two mixtures of the recipe."""

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
from .tools import Problem, Step, calculation, look_up, look_up_without_tools, sum_of_two

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
# Asked while a calculator is listed but not needed.
NO_CALCULATOR = [(comparison, 3), (count_letter, 3), (word_length, 1), (reverse_word, 3), (word_problem, 3)]

MIXTURES = {"basic": BASIC, "full": FULL}
TOOL_SHARE = {"basic": 0.0, "full": 0.27}


def draw_task(draw: Draw, mixture: str) -> Task:
    return draw.weighted(MIXTURES[mixture])(draw)


def draw_tool_problem(draw: Draw) -> tuple[list[str], Problem]:
    """Names of the listed tools, and a problem that needs them or doesn't."""
    search = "search" if draw.chance(0.93) else draw.pick(["lookup", "find"])
    kind = draw.unit()
    both = draw.chance(0.35)
    names = draw.pick([[search, "calculator"], ["calculator", search]]) if both else [search]
    if kind < 0.3:
        return names, look_up(draw, 1, search)
    if kind < 0.58:
        return names, look_up(draw, 2, search)
    if kind < 0.66:
        return names, look_up(draw, 3, search)
    if kind < 0.77:
        return names, sum_of_two(draw, both, search)
    if kind < 0.85:
        return names if both else ["calculator"], calculation(draw)
    if not both and draw.chance(0.5):
        task = draw_task(draw, "full")
    else:
        task = draw.weighted(NO_CALCULATOR + [(chat, 6)])(draw)
    while task.answer == UNKNOWN:  # "I don't know" would be wrong here: there is a tool to ask
        task = draw.weighted(NO_CALCULATOR)(draw)
    return names, Problem(task.question, [Step.of(task)])
