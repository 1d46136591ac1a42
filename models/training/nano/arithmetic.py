"""Written-out arithmetic: the thoughts the model learns.

Two things made the model learn quickly: digits are written in reverse, so that each step needs only what stands before
it, and every line ends in the result so far, so that the answer is copied and never assembled from afar.
"""


def add_steps(a: int, b: int) -> str:
    """47 + 85: `47+85`, `rev 74+58`, `7+5+0=12 2`, `4+8+1=13 32`, `carry 132`."""
    width = max(len(str(a)), len(str(b)))
    first, second = str(a).zfill(width)[::-1], str(b).zfill(width)[::-1]
    lines = [f"{a}+{b}", f"rev {first}+{second}"]
    carry, result = 0, ""
    for x, y in zip(first, second):
        total = int(x) + int(y) + carry
        result = str(total % 10) + result
        lines.append(f"{x}+{y}+{carry}={total:02d} {result}")
        carry = total // 10
    if carry:
        lines.append(f"carry 1{result}")
    return "\n".join(lines)


def subtract_steps(a: int, b: int) -> str:
    """Lines are digit - digit - borrow = new borrow, digit, result so far; a negative result is turned round first."""
    if a < b:
        return f"{a}<{b} so -({b}-{a})\n" + subtract_steps(b, a)
    width = len(str(a))
    first, second = str(a)[::-1], str(b).zfill(width)[::-1]
    lines = [f"{a}-{b}", f"rev {first}-{second}"]
    borrow, result = 0, ""
    for x, y in zip(first, second):
        difference = int(x) - int(y) - borrow
        next_borrow = 1 if difference < 0 else 0
        result = str(difference % 10) + result
        lines.append(f"{x}-{y}-{borrow}={next_borrow}{difference % 10} {result}")
        borrow = next_borrow
    return "\n".join(lines)


def multiply_digit_steps(a: int, digit: int) -> str:
    """A number times one digit."""
    reverse = str(a)[::-1]
    lines = [f"{a}*{digit}", f"rev {reverse}*{digit}"]
    carry, result = 0, ""
    for x in reverse:
        product = int(x) * digit + carry
        result = str(product % 10) + result
        lines.append(f"{x}*{digit}+{carry}={product:02d} {result}")
        carry = product // 10
    if carry:
        lines.append(f"carry {carry}{result}")
    return "\n".join(lines)


def multiply_steps(a: int, b: int) -> str:
    """A number times a number of one or two digits: one row a digit, then their sum."""
    if b < 10:
        return multiply_digit_steps(a, b)
    if a < 10:
        return f"{a}*{b}\n" + multiply_digit_steps(b, a)
    tens, ones = b // 10, b % 10
    rows = f"{multiply_digit_steps(a, ones)}\n{a * ones}\n{multiply_digit_steps(a, tens)}\n{a * tens}0\n"
    return f"{a}*{b}\n" + rows + add_steps(a * ones, a * tens * 10)


def compare_steps(a: int, b: int) -> str:
    """Compares lengths, then digits from the left up to the first that differs."""
    first, second = str(a), str(b)
    lines = [f"{a} {b}"]
    if len(first) != len(second):
        lines.append(f"{len(first)}{'<' if len(first) < len(second) else '>'}{len(second)} digits")
    else:
        for x, y in zip(first, second):
            if x != y:
                lines.append(f"{x}{'<' if x < y else '>'}{y}")
                break
            lines.append(f"{x}={y}")
    lines.append(f"{a}{'<' if a < b else '>' if a > b else '='}{b}")
    return "\n".join(lines)
