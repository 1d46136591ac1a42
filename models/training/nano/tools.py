"""Questions that need tools: look-ups in an invented world (one to three steps), a calculator, and answers not found.

A problem is a question and its steps; each step is a thought, then a call with its result or the answer.
"""

import json
from dataclasses import dataclass

from .arithmetic import add_steps
from .chat import UNKNOWN, UNKNOWN_THOUGHT
from .draw import Draw, Task
from .vocabulary import CITIES, COLORS, PEOPLE, PETS, TEST_WORDS, THING_ADJECTIVES, THING_NOUNS, TRAIN_WORDS

NOT_FOUND = "I could not find it."
NOT_FOUND_RESULTS = ["not found", "no results", "No result.", "nothing found", "Not found.", "no entry"]


@dataclass(frozen=True)
class Call:
    tool: str
    arguments: dict[str, str]
    result: str


@dataclass(frozen=True)
class Step:
    """A thought and what follows it: a call, or an answer."""

    thought: str
    call: Call | None = None
    answer: str = ""
    spelled: bool = False

    @staticmethod
    def of(task: Task) -> "Step":
        return Step(task.thought, answer=task.answer, spelled=task.spelled)


@dataclass(frozen=True)
class Problem:
    question: str
    steps: list[Step]

    @property
    def calls(self) -> list[Call]:
        return [step.call for step in self.steps if step.call]

    @property
    def answer(self) -> str:
        return self.steps[-1].answer


# What each kind of entity has: (relation, kind of its value)
RELATIONS = {
    "thing": [
        ("owner", "person"), ("maker", "person"), ("driver", "person"), ("color", "color"), ("price", "number"),
        ("weight", "number"), ("city", "city"), ("age", "number"),
    ],
    "person": [
        ("boss", "person"), ("friend", "person"), ("mother", "person"), ("teacher", "person"), ("brother", "person"),
        ("city", "city"), ("age", "number"), ("pet", "pet"), ("favorite color", "color"), ("height", "number"),
    ],
    "city": [("mayor", "person"), ("population", "number")],
}  # fmt: skip


def draw_person(draw: Draw) -> str:
    if draw.chance(0.15):
        return draw.pick(TEST_WORDS if draw.held_out else TRAIN_WORDS).title()
    return draw.pick(PEOPLE)


def draw_thing(draw: Draw) -> str:
    return f"{draw.pick(THING_ADJECTIVES)} {draw.pick(THING_NOUNS)}"


def draw_value(draw: Draw, kind: str) -> str:
    if kind == "person":
        return draw_person(draw)
    if kind == "number":
        return str(draw.number(1, 4))
    return draw.pick({"color": COLORS, "city": CITIES, "pet": PETS}[kind])


def kind_of(entity: str) -> str:
    if not entity[0].isupper():
        return "thing"
    return "city" if entity in CITIES else "person"


def with_article(entity: str) -> str:
    return entity if entity[0].isupper() else f"the {entity}"


# --- what the tools look like to the model --------------------------------------------------------------------------

CALCULATOR_DESCRIPTIONS = ["Calculate an expression", "Evaluate arithmetic", "A calculator", "Compute an expression"]
SEARCH_DESCRIPTIONS = ["Look up a fact"] * 3 + [
    "Search for a fact", "Find information", "Search the web", "Look up something",
]  # fmt: skip


def schema(name: str, description: str) -> dict:
    """The JSON schema of a tool with one text parameter."""
    parameter = "expression" if name == "calculator" else "query"
    properties = {parameter: {"type": "string"}}
    parameters = {"type": "object", "properties": properties, "required": [parameter]}
    return {"name": name, "description": description, "parameters": parameters}


def draw_schemas(draw: Draw, names: list[str]) -> list[dict]:
    return [
        schema(name, draw.pick(CALCULATOR_DESCRIPTIONS if name == "calculator" else SEARCH_DESCRIPTIONS))
        for name in names
    ]


def tool_prompt(draw: Draw, names: list[str]) -> str:
    """The system text that lists the tools, in the ways in which templates write JSON."""
    schemas = draw_schemas(draw, names)
    kind = draw.unit()
    style: dict = {"indent": 4} if kind < 0.45 else {} if kind < 0.9 else {"separators": (",", ":")}
    return "# Tools" + "".join(f"\n\n## {s['name']}\n\n{json.dumps(s, **style)}" for s in schemas)


# --- problems -------------------------------------------------------------------------------------------------------


CROWDED = 0.45  # how often a result has more lines than the one that is asked for


def draw_result(draw: Draw, entity: str, relation: str, value, crowded: float = CROWDED) -> str:
    """A look-up's result, often with lines about other relations or other entities among which to choose."""
    lines = [f"{entity}: {relation} {value}"]
    if draw.chance(crowded):
        for _ in range(draw.whole(1, 2)):
            kind = kind_of(entity)
            other_relation, other_kind = draw.pick(RELATIONS[kind])
            if other_relation != relation:
                lines.append(f"{entity}: {other_relation} {draw_value(draw, other_kind)}")
            elif draw.chance(0.4):
                other = draw_thing(draw) if kind == "thing" else draw_person(draw)
                if other != entity:
                    lines.append(f"{other}: {relation} {draw_value(draw, other_kind)}")
        draw.random.shuffle(lines)
    return "\n".join(lines)


def draw_path(draw: Draw, n_hops: int) -> tuple[str, list[tuple[str, str, str]]]:
    """A start and a chain of (relation, value, kind of value) without repeated entities."""
    while True:
        start = draw_thing(draw) if draw.chance(0.6) else draw_person(draw)
        kind = "person" if start[0].isupper() else "thing"
        path = []
        for i in range(n_hops):
            last = i == n_hops - 1
            relation, kind = draw.pick([r for r in RELATIONS[kind] if last or r[1] in ("person", "city")])
            path.append((relation, draw_value(draw, kind), kind))
        entities = [start] + [value for _, value, _ in path]
        if len(set(entities)) == len(entities):
            return start, path


def draw_path_question(draw: Draw, start: str, path: list[tuple[str, str, str]]) -> str:
    described = with_article(start)
    for relation, _, _ in path:
        described = f"the {relation} of {described}"
    style = draw.unit()
    if style < 0.06:
        chain = [start] + [relation for relation, _, _ in path]
        return draw.pick([f"{'的'.join(chain)}是什么？", f"{'の'.join(chain)}は何ですか？"])
    if path[-1][2] == "person" and style < 0.75:
        return draw.pick(["Who is {x}?", "who is {x}", "Who is {x}?"]).format(x=described)
    return draw.pick(["What is {x}?", "Tell me {x}.", "Find {x}.", "What is {x}?", "Look up {x}."]).format(x=described)


def look_up(draw: Draw, n_hops: int, tool: str = "search", crowded: float = CROWDED) -> Problem:
    """A chain of look-ups; in about one in eight the chain breaks, and the answer says so."""
    entity, path = draw_path(draw, n_hops)
    question = draw_path_question(draw, entity, path)
    breaks_at = draw.below(n_hops) if draw.chance(0.13) else None
    steps, known = [], ""
    for i, (relation, value, _) in enumerate(path):
        thought = f"{known}need {relation} of {entity}"
        if i == breaks_at:
            if draw.chance(0.5):
                result = draw.pick(NOT_FOUND_RESULTS)
            else:  # the entity is there, the relation isn't
                others = [r for r in RELATIONS[kind_of(entity)] if r[0] != relation]
                other_relation, other_kind = draw.pick(others)
                result = f"{entity}: {other_relation} {draw_value(draw, other_kind)}"
            steps.append(Step(thought, Call(tool, {"query": entity}, result)))
            steps.append(Step(f"{relation} of {entity} not found", answer=NOT_FOUND))
            return Problem(question, steps)
        result = draw_result(draw, entity, relation, value, crowded)
        steps.append(Step(thought, Call(tool, {"query": entity}, result)))
        known = f"{relation} of {entity} = {value}\n"
        entity = value
    steps.append(Step(known.rstrip("\n"), answer=entity))
    return Problem(question, steps)


def sum_of_two(draw: Draw, with_calculator: bool, tool: str = "search", crowded: float = CROWDED) -> Problem:
    """Two look-ups and the sum of their values, in thought or by the calculator."""
    a, b = draw_thing(draw), draw_thing(draw)
    while b == a:
        b = draw_thing(draw)
    relation = draw.pick(["price", "weight", "age"])
    x, y = draw.operands(lambda: (draw.number(1, 4), draw.number(1, 4)))
    question = draw.pick(
        [
            f"What is the {relation} of the {a} plus the {relation} of the {b}?",
            f"Add the {relation} of the {a} and the {relation} of the {b}.",
            f"What is the total {relation} of the {a} and the {b}?",
        ]
    )
    know_a, know_b = f"{relation} of {a} = {x}\n", f"{relation} of {b} = {y}\n"
    steps = [
        Step(f"need {relation} of {a}", Call(tool, {"query": a}, draw_result(draw, a, relation, x, crowded))),
        Step(f"{know_a}need {relation} of {b}", Call(tool, {"query": b}, draw_result(draw, b, relation, y, crowded))),
    ]
    if with_calculator:
        call = Call("calculator", {"expression": f"{x}+{y}"}, str(x + y))
        steps.append(Step(f"{know_a}{know_b}need {x}+{y}", call))
        steps.append(Step(f"{x}+{y} = {x + y}", answer=str(x + y)))
    else:
        steps.append(Step(know_a + know_b + add_steps(x, y), answer=str(x + y)))
    return Problem(question, steps)


def calculation(draw: Draw) -> Problem:
    operator = draw.pick("++--**")
    a, b = draw.number(1, 6), draw.number(1, 6)
    if operator == "*":
        a, b = draw.number(1, 4), draw.number(1, 4)
    value = {"+": a + b, "-": a - b, "*": a * b}[operator]
    word = {"+": "plus", "-": "minus", "*": "times"}[operator]
    question = draw.pick(
        [
            f"What is {a} {operator} {b}?", f"{a}{operator}{b}", f"Calculate {a}{operator}{b}.",
            f"What is {a} {word} {b}?", f"Compute {a} {operator} {b}", f"{a} {operator} {b} = ?",
        ]
    )  # fmt: skip
    expression = f"{a}{operator}{b}"
    call = Call("calculator", {"expression": expression}, str(value))
    return Problem(question, [Step(f"need {expression}", call), Step(f"{expression} = {value}", answer=str(value))])


def look_up_without_tools(draw: Draw) -> Task:
    """The same question with no tool at hand: the model says what it can't do."""
    start, path = draw_path(draw, draw.pick([1, 1, 2]))
    return Task(draw_path_question(draw, start, path), UNKNOWN_THOUGHT, UNKNOWN)
