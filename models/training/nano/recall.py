"""Facts hidden in filler text, to be found again far behind."""

from typing import Callable

from .draw import Draw, Task
from .vocabulary import ADJECTIVES, KEYS, NOUNS, VERBS

FACT = ["The code of {k} is {v}.", "Remember: {k} = {v}.", "Key {k} = {v}."]
ASK = ["What is the code of {k}?", "What is {k}?", "What is the value of {k}?", "Tell me the code of {k}."]
TOKENS_PER_SENTENCE = 8.2  # measured with the tokenizer of record


def filler(draw: Draw) -> str:
    subject = f"The {draw.pick(ADJECTIVES)} {draw.pick(NOUNS)}"
    return f"{subject} {draw.pick(VERBS)} the {draw.pick(ADJECTIVES)} {draw.pick(NOUNS)}."


def recall(draw: Draw, n_sentences: int, n_facts: int) -> tuple[str, Callable[[int], Task]]:
    """A text with facts at random places, and a function that asks for the i-th of them."""
    keys = draw.random.sample(KEYS, n_facts)
    values = [str(draw.whole(100, 9999)) for _ in keys]
    facts = [draw.pick(FACT).format(k=k, v=v) for k, v in zip(keys, values)]
    sentences = iter([filler(draw) for _ in range(n_sentences)])
    places = sorted(draw.random.sample(range(n_sentences + n_facts), n_facts))
    remaining = iter(facts)
    text = [next(remaining) if i in places else next(sentences) for i in range(n_sentences + n_facts)]

    def ask(i: int) -> Task:
        return Task(draw.pick(ASK).format(k=keys[i]), f"{keys[i]} = {values[i]}", values[i])

    return " ".join(text), ask
