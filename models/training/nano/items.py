"""Writes the held-out evaluation items: bench/model/README.md describes the files.

usage: python3 -m nano.items FOLDER

Operands fall on the held-out side of the rule in draw.py, words of letter tasks come from the held-out list.
"""

import json
import sys
from pathlib import Path

from .chat import outside_its_world
from .draw import Draw, Task
from .letters import count_letter, count_steps, reverse_word
from .mixture import NO_CALCULATOR
from .numbers import (
    addition,
    comparison,
    comparison_east,
    follow_up,
    large_numbers,
    negative_difference,
    subtraction,
    times_digit,
    times_two_digits,
    word_problem,
)
from .recall import TOKENS_PER_SENTENCE, filler, recall
from .tokenizer import Tokenizer, read_merges
from .tools import NOT_FOUND, Problem, Step, calculation, draw_schemas, look_up, look_up_without_tools, sum_of_two
from .vocabulary import TEST_WORDS

PER_TASK, CHAINS_PER_LENGTH, TEXTS_PER_LENGTH = 60, 40, 24
CHAIN_LENGTHS = (2, 3, 4, 6)
TEXT_LENGTHS = (256, 480, 768, 1024, 1536, 2000)  # tokens; the model was trained on up to 512

SHORT = {
    "add 3-5 digits": lambda draw: addition(draw, 3, 5),
    "subtract 3-5 digits": lambda draw: subtraction(draw, 3, 5),
    "n x 1 digit": lambda draw: times_digit(draw, 3, 4),
    "2 x 2 digits": times_two_digits,
    "compare": comparison,
    "count a letter": count_letter,
    "reverse a word": reverse_word,
    "word problems": word_problem,
}
SYSTEM_PROMPTS = [  # none of them was trained on, but for the first two
    "Answer briefly.", "You are a helpful assistant.", "Be concise.", "You are a math tutor for children.",
    "Always answer in one line.", "You work in a shop. Be kind.",
]  # fmt: skip


def distinct(draw_one, n: int, key=lambda item: item.question) -> list:
    """n items with different questions."""
    items: dict = {}
    while len(items) < n:
        item = draw_one()
        items.setdefault(key(item), item)
    return list(items.values())


def until(draw_one, accept):
    while not accept(item := draw_one()):
        pass
    return item


# --- short tasks ----------------------------------------------------------------------------------------------------


def short_items(draw: Draw):
    for name, make in SHORT.items():
        for task in distinct(lambda: make(draw), PER_TASK):
            yield {"task": name, "question": task.question, "answer": task.answer}


# --- follow-ups -----------------------------------------------------------------------------------------------------


def draw_chain(draw: Draw, length: int) -> list[Task]:
    """A sum or difference, then questions about "that"; only the last may ask for yes or no."""
    first = until(lambda: draw.pick([addition, subtraction])(draw, 1, 4), lambda task: not task.answer.startswith("-"))
    chain, value = [first], int(first.answer)
    while len(chain) < length:
        task, result = follow_up(draw, value)
        if result is None and len(chain) == length - 1:
            chain.append(task)
        elif result is not None and result <= 10**6:
            chain.append(task)
            value = result
    return chain


def follow_up_items(draw: Draw):
    for length in CHAIN_LENGTHS:
        for _ in range(CHAINS_PER_LENGTH):
            turns = [
                {"question": task.question, "thought": task.thought, "answer": task.answer}
                for task in draw_chain(draw, length)
            ]
            yield {"task": f"follow-up turn {length}", "turns": turns}


# --- long contexts --------------------------------------------------------------------------------------------------


def draw_text(draw: Draw, length: int, tokenizer: Tokenizer):
    """A text of facts of length - 40 to length - 30 tokens: with the question about `length`."""
    n_sentences = int(length / TOKENS_PER_SENTENCE)
    context, ask = recall(draw, n_sentences, 5)
    while len(tokenizer.encode(context)) > length - 30:
        n_sentences -= 2
        context, ask = recall(draw, n_sentences, 5)
    while len(tokenizer.encode(context)) < length - 40:
        context = f"{filler(draw)} {context}"
    return context, ask(draw.below(5))


def long_items(draw: Draw):
    tokenizer = Tokenizer(read_merges())
    for length in TEXT_LENGTHS:
        for _ in range(TEXTS_PER_LENGTH):
            context, task = draw_text(draw, length, tokenizer)
            sum_ = addition(draw, 3, 3)
            yield {
                "task": "retrieval",
                "length": length,
                "context": context,
                "question": task.question,
                "answer": task.answer,
                "addition": {"question": sum_.question, "answer": sum_.answer},
            }


# --- tools ----------------------------------------------------------------------------------------------------------


def was_found(problem: Problem) -> bool:
    return problem.answer != NOT_FOUND


def was_missed(problem: Problem) -> bool:
    return not was_found(problem)


def count_double_letter(word: str) -> Task:
    letter = next(x for x, before in zip(word[1:], word) if x == before)
    return Task(f"How many {letter} are in {word}?", count_steps(word, letter), str(word.count(letter)))


def tool_items(draw: Draw):
    def item(task: str, tools: list[str], problem: Problem | Task, system: str | None = None) -> dict:
        if isinstance(problem, Task):
            problem = Problem(problem.question, [Step.of(problem)])
        return {
            "task": task,
            "tools": draw_schemas(draw, tools),
            **({"system": system} if system else {}),
            "question": problem.question,
            "calls": [[call.tool, call.arguments, call.result] for call in problem.calls],
            "answer": problem.answer,
        }

    search, both, calculator = ["search"], ["search", "calculator"], ["calculator"]

    for n, name in ((1, "1 look-up"), (2, "2 look-ups"), (3, "3 look-ups")):
        for problem in distinct(lambda: until(lambda: look_up(draw, n), was_found), PER_TASK):
            yield item(name, draw.pick([search, search, both]), problem)
    for problem in distinct(lambda: until(lambda: look_up(draw, draw.pick([1, 2])), was_missed), PER_TASK):
        yield item("not found", search, problem)
    for problem in distinct(lambda: sum_of_two(draw, with_calculator=False), PER_TASK):
        yield item("2 look-ups, added in thought", search, problem)
    for problem in distinct(lambda: sum_of_two(draw, with_calculator=True), PER_TASK):
        yield item("2 look-ups, added by calculator", both, problem)
    for problem in distinct(lambda: calculation(draw), PER_TASK):
        yield item("calculator", calculator, problem)
    for task in distinct(lambda: draw.weighted(NO_CALCULATOR)(draw), PER_TASK):
        yield item("tools listed, not needed", draw.pick([search, both]), task)
    for task in distinct(lambda: look_up_without_tools(draw), PER_TASK):
        yield item("look-up question, no tools listed", [], task)

    old_tasks = [make for make in SHORT.values() if make is not times_two_digits]
    for task in distinct(lambda: draw.pick(old_tasks)(draw), PER_TASK):
        yield item("system prompt, short tasks", [], task, draw.pick(SYSTEM_PROMPTS))
    for task in distinct(lambda: outside_its_world(draw), PER_TASK):
        yield item("outside its world", [], task)
    for name, make in (
        ("negative differences", negative_difference),
        ("compare, Chinese and Japanese", comparison_east),
        ("6-7 digits", large_numbers),
    ):
        for task in distinct(lambda: make(draw), PER_TASK):
            yield item(name, [], task)
    doubled = [word for word in TEST_WORDS if any(x == before for x, before in zip(word[1:], word))]
    for word in draw.random.sample(doubled, min(PER_TASK, len(doubled))):
        yield item("double letters", [], count_double_letter(word))


SUITES = {
    "short": (short_items, 987654321),
    "follow-up": (follow_up_items, 987654322),
    "long": (long_items, 987654323),
    "tools": (tool_items, 13579),
}


def write_items(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (make, seed) in SUITES.items():
        lines = [json.dumps(item, ensure_ascii=False) for item in make(Draw(seed, held_out=True))]
        (folder / f"{name}.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf8")
        print(f"{folder}/{name}.jsonl: {len(lines)} items")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_items(Path(sys.argv[1]))
