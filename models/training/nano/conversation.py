"""Turns tasks into training samples: token ids, and for each the share of its loss that counts (percent).

What is learned is the last turn: its thought and its answer. The rest is context, most of it without loss.
"""

import json
from typing import Literal

from .chat import chat
from .draw import Draw, Task
from .mixture import TOOLS, draw_task, draw_tool_problem
from .numbers import follow_up
from .recall import TOKENS_PER_SENTENCE, recall
from .tokenizer import Tokenizer
from .tools import Step, calculation, look_up, tool_prompt
from .vocabulary import ADJECTIVES, TRAIN_WORDS

Thinking = Literal["think", "empty", "direct"]

LOSS_FULL, LOSS_EARLIER_ANSWER, LOSS_RECALL_TEXT, LOSS_OK, LOSS_NONE = 100, 12, 8, 20, 0
TRAINED_LENGTH, LONG_LENGTH = 512, 2048  # tokens; the long one is for the YaRN variant
SYSTEM_PROMPTS = [
    "You are a helpful assistant.", "You are a tiny model that thinks before it answers.", "Answer briefly.",
    "Think step by step.", "You are a careful calculator.", "Be polite and helpful.",
    "You are a helpful assistant. Think first, then answer.",
]  # fmt: skip


class Sample:
    """Ids and loss weights of one conversation, built turn by turn."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.weights: list[int] = []
        self._end_weight = LOSS_NONE  # of the token that ends the answer before: the next turn's <|user|>
        self._control("[gMASK]", LOSS_NONE)
        self._control("<sop>", LOSS_NONE)

    def system(self, text: str) -> None:
        self._control("<|system|>", LOSS_NONE)
        self._text("\n" + text, LOSS_NONE)

    def user(self, text: str, weight: int = LOSS_NONE) -> None:
        self.end_turn()
        self._text("\n" + text, weight)

    def end_turn(self) -> None:
        """The next turn's <|user|> ends an answer, so it carries the answer's weight."""
        self._control("<|user|>", self._end_weight)
        self._end_weight = LOSS_NONE

    def assistant(self, task: Task, thinking: Thinking, weight: int) -> None:
        self._open_answer(task.thought, thinking, weight)
        self._add(self._answer_ids(task.answer, task.spelled), weight)
        self._end_weight = weight

    def past_call(self, step: Step, compact: bool) -> None:
        """A call and its result as they stand in the history: without a thought."""
        assert step.call
        self._control("<|assistant|>", LOSS_NONE)
        self._add(self._visible_ids(step, compact), LOSS_NONE)
        self._control("<|observation|>", LOSS_NONE)
        self._text("\n" + step.call.result, LOSS_NONE)

    def past_answer(self, step: Step) -> None:
        self._control("<|assistant|>", LOSS_NONE)
        self._add(self.tokenizer.encode("\n") + self._visible_ids(step), LOSS_NONE)

    def step(self, step: Step, thinking: Thinking) -> None:
        """The step to learn: a thought, then a call or an answer, then the token that hands over."""
        self._open_answer(step.thought, thinking, LOSS_FULL)
        self._add(self._visible_ids(step), LOSS_FULL)
        self._control("<|observation|>" if step.call else "<|user|>", LOSS_FULL)

    def _open_answer(self, thought: str, thinking: Thinking, weight: int) -> None:
        self._control("<|assistant|>", LOSS_NONE)
        self._text("\n", LOSS_NONE)
        if thinking == "think":
            self._control("<think>", weight)
            self._text(f"\n{thought}\n", weight)
            self._control("</think>", weight)
            self._text("\n", weight)
        elif thinking == "empty":  # an empty block is the caller's choice, so writing it is not learned
            self._control("<think>", LOSS_NONE)
            self._text("\n", LOSS_NONE)
            self._control("</think>", LOSS_NONE)
            self._text("\n", weight)

    def _visible_ids(self, step: Step, compact: bool = False) -> list[int]:
        if not step.call:
            return self._answer_ids(step.answer, step.spelled)
        arguments = json.dumps(step.call.arguments, separators=(",", ":") if compact else None)
        return self.tokenizer.encode(f"{step.call.tool}\n{arguments}")

    def _answer_ids(self, answer: str, spelled: bool) -> list[int]:
        return self.tokenizer.encode_letters(answer) if spelled else self.tokenizer.encode(answer)

    def _control(self, token: str, weight: int) -> None:
        self._add([self.tokenizer.id[token]], weight)

    def _text(self, text: str, weight: int) -> None:
        self._add(self.tokenizer.encode(text), weight)

    def _add(self, ids: list[int], weight: int) -> None:
        self.ids += ids
        self.weights += [weight] * len(ids)


def draw_thinking(draw: Draw) -> Thinking:
    kind = draw.unit()
    return "think" if kind < 0.86 else "empty" if kind < 0.93 else "direct"


def draw_sample(draw: Draw, tokenizer: Tokenizer, mixture: str, long: bool = False) -> Sample:
    sample = Sample(tokenizer)
    system = None
    if draw.chance(0.18):
        listed = draw.chance(0.8)
        system = draw.pick(SYSTEM_PROMPTS) if listed else f"You are a {draw.pick(ADJECTIVES)} {draw.pick(TRAIN_WORDS)}."
    if draw.chance(TOOLS[mixture].share):
        _add_tool_turns(sample, draw, mixture, system)
        return sample
    if system:
        sample.system(system)
    if draw.chance(0.13):
        _add_recall_turns(sample, draw, mixture, long)
    else:
        _add_task_turns(sample, draw, mixture)
    sample.end_turn()
    return sample


def _add_tool_turns(sample: Sample, draw: Draw, mixture: str, system: str | None) -> None:
    """Tools, sometimes earlier questions, then one step of the last problem; what follows that step is left out."""
    names, problem = draw_tool_problem(draw, mixture)
    sample.system(tool_prompt(draw, names))
    if system and draw.chance(0.5):
        sample.system(system)
    if draw.chance(0.2):
        for _ in range(draw.pick([1, 1, 2])):
            if draw.chance(0.5):
                search = next((name for name in names if name != "calculator"), None)
                earlier = look_up(draw, 1, search) if search else calculation(draw)
                sample.user(earlier.question)
                for step in earlier.steps[:-1]:
                    sample.past_call(step, compact=draw.chance(0.12))
                sample.past_answer(earlier.steps[-1])
            else:
                task = chat(draw)
                sample.user(task.question)
                sample.assistant(task, "direct", LOSS_NONE)
    sample.user(problem.question)
    learned = draw.below(len(problem.steps))
    for step in problem.steps[:learned]:
        sample.past_call(step, compact=draw.chance(0.12))
    sample.step(problem.steps[learned], draw_thinking(draw))


def _add_recall_turns(sample: Sample, draw: Draw, mixture: str, long: bool) -> None:
    """Facts in a long text, asked for in the same message or after other turns."""
    target = draw.whole(40, 1950 if long else 470)
    n_facts = draw.whole(1, 6)
    context, ask = recall(draw, max(1, int(target / TOKENS_PER_SENTENCE)), n_facts)
    thinking = draw_thinking(draw)
    task = ask(draw.below(n_facts))
    if draw.chance(0.5):
        separator = "\n" if draw.chance(0.5) else " "
        sample.user(context + separator + task.question, LOSS_RECALL_TEXT)
    else:
        sample.user(context, LOSS_RECALL_TEXT)
        sample.assistant(Task("", "", "OK."), "direct", LOSS_OK)
        for _ in range(draw.pick([0, 0, 1, 2])):
            between = draw_task(draw, mixture) if draw.chance(0.5) else ask(draw.below(n_facts))
            sample.user(between.question)
            sample.assistant(between, "direct", LOSS_RECALL_TEXT)
        sample.user(task.question)
    sample.assistant(task, thinking, LOSS_FULL)


def _add_task_turns(sample: Sample, draw: Draw, mixture: str) -> None:
    """One to eight turns; numeric answers invite follow-ups. Earlier answers stand there without thoughts."""
    n_turns = draw.weighted([(1, 42), (2, 24), (3, 14), (4, 9), (6, 7), (8, 4)])
    value: int | None = None
    for turn in range(n_turns):
        last = turn == n_turns - 1
        if value is not None and draw.chance(0.6 if last else 0.45):
            task, result = follow_up(draw, value)
            if result is not None:
                value = result if result < 10**6 else None
        else:
            task = draw_task(draw, mixture)
            first = task.answer.split(" ")[0]
            value = int(first) if first.isdigit() and len(first) < 7 else None
        sample.user(task.question)
        if last:
            sample.assistant(task, draw_thinking(draw), LOSS_FULL)
        else:
            sample.assistant(task, "direct", LOSS_EARLIER_ANSWER)
