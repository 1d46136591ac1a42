"""Questions about numbers: sums, comparisons, word problems, and follow-ups on the last answer."""

from .arithmetic import add_steps, compare_steps, multiply_digit_steps, multiply_steps, subtract_steps
from .draw import Draw, Task
from .vocabulary import GOODS, NAMES

EAST_ASIAN = 0.08  # share of questions asked in Chinese or Japanese

ADD = [
    "What is {a} + {b}?", "{a}+{b}", "{a} + {b} = ?", "Calculate {a}+{b}.", "Add {a} and {b}.",
    "What is {a} plus {b}?", "what is {a}+{b}", "Compute {a} + {b}", "Please add {a} and {b}.",
]  # fmt: skip
ADD_EAST = ["{a}加{b}等于多少？", "{a}足す{b}は？", "{a}+{b}は？", "{a}+{b}等于几？", "计算{a}+{b}", "{a}+{b}を計算して"]
SUBTRACT = [
    "What is {a} - {b}?", "{a}-{b}", "{a} - {b} = ?", "Calculate {a}-{b}.", "Subtract {b} from {a}.",
    "What is {a} minus {b}?", "what is {a}-{b}", "Compute {a} - {b}",
]  # fmt: skip
SUBTRACT_EAST = ["{a}减{b}等于多少？", "{a}引く{b}は？", "{a}-{b}は？", "计算{a}-{b}", "{a}-{b}を計算して"]
NEGATIVE = SUBTRACT[:6] + SUBTRACT_EAST[:2]
MULTIPLY = [
    "What is {a} * {b}?", "{a}*{b}", "{a} * {b} = ?", "Calculate {a}*{b}.", "Multiply {a} by {b}.",
    "What is {a} times {b}?", "{a} x {b}", "Compute {a} * {b}",
]  # fmt: skip
MULTIPLY_EAST = ["{a}乘以{b}等于多少？", "{a}かける{b}は？", "{a}*{b}は？", "计算{a}*{b}"]

LARGER = [
    "Which is larger, {a} or {b}?", "Which number is bigger: {a} or {b}?", "Compare {a} and {b}. Which is larger?",
]  # fmt: skip
SMALLER = ["Which is smaller, {a} or {b}?", "Which number is smaller: {a} or {b}?"]
IS_LARGER = ["Is {a} larger than {b}?", "Is {a} greater than {b}?", "Is {a} > {b}?"]
IS_SMALLER = ["Is {a} smaller than {b}?", "Is {a} less than {b}?", "Is {a} < {b}?"]
COMPARE_EAST = [
    ("{a}和{b}哪个大？", max), ("{a}と{b}、どちらが大きいですか？", max), ("{a}和{b}哪个小？", min),
]  # fmt: skip
COMPARE_MORE_EAST = [
    ("{a}和{b}哪个大？", max), ("{a}和{b}哪个小？", min), ("{a}和{b}哪个小？", min), ("{a}和{b}哪个更小？", min),
    ("{a}和{b}哪个更大？", max), ("{a}と{b}、どちらが大きいですか？", max), ("{a}と{b}、どちらが小さいですか？", min),
    ("Which is smaller, {a} or {b}?", min),
]  # fmt: skip


def addition(draw: Draw, low: int = 1, high: int = 5) -> Task:
    a, b = draw.operands(lambda: (draw.number(low, high), draw.number(low, high)))
    question = draw.pick(ADD_EAST if draw.chance(EAST_ASIAN) else ADD)
    return Task(question.format(a=a, b=b), add_steps(a, b), str(a + b))


def subtraction(draw: Draw, low: int = 1, high: int = 5) -> Task:
    def make():
        a, b = draw.number(low, high), draw.number(low, high)
        return (b, a) if a < b and draw.chance(0.8) else (a, b)  # mostly results of zero and more

    a, b = draw.operands(make)
    question = draw.pick(SUBTRACT_EAST if draw.chance(EAST_ASIAN) else SUBTRACT)
    return Task(question.format(a=a, b=b), subtract_steps(a, b), str(a - b))


def negative_difference(draw: Draw) -> Task:
    a, b = draw.operands(lambda: sorted((draw.number(1, 5), draw.number(1, 5))))
    if a == b:
        b += 1
    return Task(draw.pick(NEGATIVE).format(a=a, b=b), subtract_steps(a, b), str(a - b))


def _product(draw: Draw, a: int, b: int) -> Task:
    question = draw.pick(MULTIPLY_EAST if draw.chance(EAST_ASIAN) else MULTIPLY)
    return Task(question.format(a=a, b=b), multiply_steps(a, b), str(a * b))


def times_digit(draw: Draw, low: int = 1, high: int = 4) -> Task:
    return _product(draw, *draw.operands(lambda: (draw.number(low, high), draw.whole(2, 9))))


def times_two_digits(draw: Draw) -> Task:
    return _product(draw, *draw.operands(lambda: (draw.number(2, 2), draw.number(2, 2))))


def large_numbers(draw: Draw) -> Task:
    """Six and seven digits, beyond what the other tasks draw."""
    kind = draw.unit()
    if kind < 0.3:
        return addition(draw, 6, 7)
    if kind < 0.5:
        return addition(draw, 1, 7)
    return subtraction(draw, 6, 7) if kind < 0.8 else times_digit(draw, 4, 5)


def similar_number(draw: Draw, a: int) -> int:
    """Changes one digit and sometimes swaps two: such pairs can't be compared at a glance."""
    digits = list(str(a))
    i = draw.below(len(digits))
    digits[i] = draw.pick("0123456789")
    if draw.chance(0.5) and len(digits) > 1:
        j = draw.below(len(digits))
        digits[i], digits[j] = digits[j], digits[i]
    return int("".join(digits))


def comparison(draw: Draw) -> Task:
    def make():
        a = draw.number(2, 6)
        b = similar_number(draw, a) if draw.chance(0.7) else draw.number(2, 6)
        return a, (a + draw.pick([1, 10, -1]) if a == b else b)

    a, b = draw.operands(make)
    kind = draw.unit()
    if kind < EAST_ASIAN:
        question, choose = draw.pick(COMPARE_EAST)
        answer = str(choose(a, b))
    elif kind < 0.45:
        question, answer = draw.pick(LARGER), str(max(a, b))
    elif kind < 0.7:
        question, answer = draw.pick(SMALLER), str(min(a, b))
    elif kind < 0.85:
        question, answer = draw.pick(IS_LARGER), "Yes" if a > b else "No"
    else:
        question, answer = draw.pick(IS_SMALLER), "Yes" if a < b else "No"
    return Task(question.format(a=a, b=b), compare_steps(a, b), answer)


def comparison_east(draw: Draw) -> Task:
    a, b = draw.operands(lambda: (draw.number(2, 6), draw.number(2, 6))) if draw.chance(0.4) else (0, 0)
    while a == b:
        a = draw.number(2, 6)
        b = similar_number(draw, a)
    question, choose = draw.pick(COMPARE_MORE_EAST)
    return Task(question.format(a=a, b=b), compare_steps(a, b), str(choose(a, b)))


GAIN = [
    "{n} has {a} {it}. {he} buys {b} more. How many {it} does {n} have now?",
    "{n} has {a} {it} and gets {b} more. How many {it} are there?",
    "There are {a} {it} in a box. {n} adds {b} {it}. How many {it} are in the box?",
    "{n} found {a} {it} on Monday and {b} on Tuesday. How many {it} in total?",
]
LOSS = [
    "{n} has {a} {it}. {he} gives away {b}. How many {it} are left?",
    "{n} had {a} {it} and lost {b}. How many {it} are left?",
    "There are {a} {it} in a box. {n} takes {b}. How many {it} remain?",
    "A shop has {a} {it}. It sells {b}. How many {it} are left?",
]
GROUPS = [
    "There are {b} boxes with {a} {it} in each box. How many {it} in total?",
    "{n} buys {b} bags. Each bag has {a} {it}. How many {it} does {n} have?",
    "One box holds {a} {it}. How many {it} are in {b} boxes?",
]
GAIN_AND_LOSS = [
    "{n} has {a} {it}. {he} buys {b} more and then gives away {c}. How many {it} are left?",
    "{n} has {a} {it}, finds {b} and loses {c}. How many {it} does {n} have now?",
]
GAIN_EAST = [
    ("小明有{a}个苹果，又买了{b}个，一共有几个？", "{sum}个"),
    ("太郎はりんごを{a}個持っています。{b}個買いました。全部で何個ですか？", "{sum}個です。"),
]


def word_problem(draw: Draw) -> Task:
    n, it = draw.pick(NAMES), draw.pick(GOODS)
    a, b = draw.operands(lambda: (draw.number(1, 3), draw.number(1, 3)))
    kind = draw.unit()
    he = draw.pick(["He", "She"])
    if kind < 0.07:
        question, answer = draw.pick(GAIN_EAST)
        return Task(question.format(a=a, b=b), add_steps(a, b), answer.format(sum=a + b))
    if kind < 0.35:
        question = draw.pick(GAIN).format(n=n, he=he, it=it, a=a, b=b)
        return Task(question, add_steps(a, b), f"{a + b} {it}")
    if kind < 0.6:
        a, b = max(a, b), min(a, b)
        question = draw.pick(LOSS).format(n=n, he=he, it=it, a=a, b=b)
        return Task(question, subtract_steps(a, b), f"{a - b} {it}")
    if kind < 0.8:
        a, b = draw.operands(lambda: (draw.number(1, 2), draw.whole(2, 9)))
        question = draw.pick(GROUPS).format(n=n, he=he, it=it, a=a, b=b)
        return Task(question, multiply_steps(a, b), f"{a * b} {it}")
    c = draw.whole(0, min(a + b, 999))
    question = draw.pick(GAIN_AND_LOSS).format(n=n, he=he, it=it, a=a, b=b, c=c)
    steps = f"{add_steps(a, b)}\n{a + b}\n{subtract_steps(a + b, c)}"
    return Task(question, steps, f"{a + b - c} {it}")


MORE = [
    "Add {b} to that.", "Now add {b}.", "Plus {b}?", "And {b} more?", "What is that plus {b}?",
    "Add {b} to the result.",
]  # fmt: skip
MORE_EAST = ["再加{b}", "それに{b}を足して"]
LESS = [
    "Subtract {b} from that.", "Now subtract {b}.", "Minus {b}?", "Take away {b} from that.", "What is that minus {b}?",
]  # fmt: skip
LESS_EAST = ["再减{b}", "それから{b}を引いて"]
TIMES = ["Multiply that by {b}.", "Times {b}?", "What is that times {b}?"]
DOUBLE = ["Double it.", "Double that."]
IS_THAT_LARGER = ["Is that larger than {b}?", "Is it greater than {b}?", "Is that more than {b}?"]


def follow_up(draw: Draw, value: int) -> tuple[Task, int | None]:
    """A question about "that": the number answered before. Returns the new number too, None after yes or no."""
    kind = draw.unit()
    if kind < 0.4:
        b = draw.number(1, 4)
        question, result = draw.pick(MORE), value + b
        if draw.chance(0.06):
            question = draw.pick(MORE_EAST)
        return Task(question.format(b=b), add_steps(value, b), str(result)), result
    if kind < 0.75 and value > 0:
        b = draw.whole(0, value)
        question, result = draw.pick(LESS), value - b
        if draw.chance(0.06):
            question = draw.pick(LESS_EAST)
        return Task(question.format(b=b), subtract_steps(value, b), str(result)), result
    if kind < 0.9 and value < 1000:
        b = draw.whole(2, 9)
        question = draw.pick(TIMES)
        if draw.chance(0.3):
            b = 2
            question = draw.pick(DOUBLE)
        return Task(question.format(b=b), multiply_digit_steps(value, b), str(value * b)), value * b
    b = similar_number(draw, value) if draw.chance(0.6) else draw.number(1, 5)
    if b == value:
        b = value + 1
    question = draw.pick(IS_THAT_LARGER).format(b=b)
    return Task(question, compare_steps(value, b), "Yes" if value > b else "No"), None
