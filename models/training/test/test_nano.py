"""Checks that need only the standard library, in seconds.  usage: python3 -m unittest discover test

Answers are worked out again from the question's words, not by the code that made them.
"""

import json
import re
import tempfile
import unittest
from pathlib import Path

from nano import chat, letters, mixture, numbers, tools
from nano.conversation import LOSS_FULL, TRAINED_LENGTH, draw_sample
from nano.data import write_samples
from nano.draw import Draw, Task, is_held_out
from nano.items import SUITES
from nano.recall import recall
from nano.tokenizer import BYTE_TO_CHAR, CONTROLS, MERGES_FILE, Tokenizer, learn_merges, read_merges
from nano.vocabulary import TEST_WORDS, TRAIN_WORDS
from nano.words import is_test_word

HERE = Path(__file__).parent
MODEL = HERE.parents[1] / "ruminate-nano-q8_0.gguf"
ITEMS = HERE.parents[2] / "bench" / "model" / "items"
ROUNDS = 400


def ints(text: str) -> list[int]:
    return [int(x) for x in re.findall(r"\d+", text)]


def expected_number(question: str) -> int:
    """The value of a two-operand question, in whatever words it asks."""
    a, b = ints(question)
    if re.match(r"Subtract \d+ from", question):
        return b - a
    if re.search(r"\+|[Aa]dd|plus|加|足す", question):
        return a + b
    if re.search(r"-|minus|减|引く", question):
        return a - b
    if re.search(r"\*| x |times|Multiply|乘以|かける", question):
        return a * b
    raise AssertionError(f"no operation found in {question!r}")


def expected_comparison(question: str) -> str:
    a, b = ints(question)
    if question.startswith("Is "):
        return "Yes" if (a > b if re.search(r"larger|greater|>", question) else a < b) else "No"
    return str(min(a, b) if re.search(r"smaller|小", question) else max(a, b))


def expected_word_problem(question: str) -> int:
    values = ints(question)
    if re.search(r"in each box|Each bag|One box", question):
        return values[0] * values[1]
    if len(values) == 3:
        return values[0] + values[1] - values[2]
    if re.search(r"gives away|lost|takes|sells", question):
        return values[0] - values[1]
    return values[0] + values[1]


def asked_letter(question: str, word: str) -> str:
    """The letter to count: the first that stands alone once the word is taken out."""
    return re.search(r"(?<![a-z])([a-z])(?![a-z])", question.replace(word, " "))[1]


class Arithmetic(unittest.TestCase):
    def check_thought(self, task: Task) -> None:
        """Every line "x = result-so-far" of a thought is true, and the last line holds the answer."""
        for x, y, carry, total in re.findall(r"^(\d)\+(\d)\+(\d)=(\d\d) \d+$", task.thought, re.M):
            self.assertEqual(int(x) + int(y) + int(carry), int(total), task.thought)
        for x, y, borrow, next_borrow, digit in re.findall(r"^(\d)-(\d)-(\d)=(\d)(\d) \d+$", task.thought, re.M):
            self.assertEqual(int(x) - int(y) - int(borrow), int(digit) - 10 * int(next_borrow), task.thought)
        for x, y, carry, total in re.findall(r"^(\d)\*(\d)\+(\d)=(\d\d) \d+$", task.thought, re.M):
            self.assertEqual(int(x) * int(y) + int(carry), int(total), task.thought)
        number = re.search(r"\d+", task.answer)
        if number:
            self.assertEqual(int(task.thought.split("\n")[-1].split(" ")[-1]), int(number[0]), task.thought)

    def check_tasks(self, make, expect) -> None:
        for held_out in (False, True):
            draw = Draw(5, held_out)
            for _ in range(ROUNDS):
                task = make(draw)
                with self.subTest(question=task.question):
                    self.assertEqual(task.answer, str(expect(task.question)))
                    self.check_thought(task)

    def test_sums_differences_and_products_are_right(self):
        for make in (
            numbers.addition,
            numbers.subtraction,
            numbers.negative_difference,
            numbers.times_digit,
            numbers.times_two_digits,
            numbers.large_numbers,
        ):
            self.check_tasks(make, expected_number)

    def test_word_problems_are_right(self):
        for held_out in (False, True):
            draw = Draw(6, held_out)
            for _ in range(ROUNDS):
                task = numbers.word_problem(draw)
                self.assertEqual(ints(task.answer)[0], expected_word_problem(task.question), task.question)
                self.check_thought(task)

    def test_comparisons_are_right(self):
        for make in (numbers.comparison, numbers.comparison_east):
            draw = Draw(7)
            for _ in range(ROUNDS):
                task = make(draw)
                self.assertEqual(task.answer, expected_comparison(task.question), task.question)
                a, b = ints(task.question)
                self.assertTrue(task.thought.endswith(f"{a}{'<' if a < b else '>' if a > b else '='}{b}"))

    def test_follow_ups_continue_from_the_value(self):
        draw = Draw(8)
        for _ in range(ROUNDS):
            value = draw.number(1, 5)
            task, result = numbers.follow_up(draw, value)
            b = ints(task.question)[0] if ints(task.question) else 2
            if result is None:
                self.assertEqual(task.answer, "Yes" if value > b else "No")
                continue
            gain = re.search(r"[Aa]dd|[Pp]lus|more|加|足", task.question)
            loss = re.search(r"ubtract|inus|Take|减|引", task.question)
            self.assertEqual(result, value + b if gain else value - b if loss else value * b, task.question)
            self.assertEqual(task.answer, str(result))

    def test_held_out_pairs_never_reach_training(self):
        for held_out in (False, True):
            draw = Draw(9, held_out)
            for _ in range(ROUNDS):
                a, b = draw.operands(lambda: (draw.number(), draw.number()))
                self.assertEqual(is_held_out(a, b), held_out)


class Letters(unittest.TestCase):
    def test_counts_lengths_and_reversals_are_right(self):
        for held_out in (False, True):
            draw = Draw(10, held_out)
            for _ in range(ROUNDS):
                task = letters.count_letter(draw)
                word, steps = task.thought.split(":")
                letter = asked_letter(task.question, word)
                self.assertEqual(int(task.answer), len(re.findall(letter, word)), task.question)
                self.assertEqual([x[0] for x in steps.split()], list(word))

                task = letters.reverse_word(draw)
                word = task.thought.split(":")[0]
                self.assertIn(word, task.question)
                self.assertEqual(list(task.answer), [word[-1 - i] for i in range(len(word))])
                self.assertTrue(task.spelled)

                task = letters.word_length(draw)
                self.assertEqual(int(task.answer), len(task.thought.split(":")[0]))

                task = letters.spell_word(draw)
                self.assertEqual(task.answer.replace(" ", ""), task.thought)

    def test_double_letters_are_right(self):
        draw = Draw(11)
        for _ in range(ROUNDS):
            task = letters.double_letters(draw)
            word = task.thought.split(":")[0]
            self.assertIn(word, task.question)
            if task.spelled:
                self.assertEqual(task.answer, "".join(reversed(word)))
            else:
                self.assertEqual(int(task.answer), word.count(asked_letter(task.question, word)), task.question)

    def test_word_lists_are_apart_and_split_by_hash(self):
        self.assertFalse(set(TRAIN_WORDS) & set(TEST_WORDS))
        self.assertTrue(all(is_test_word(word) for word in TEST_WORDS))
        self.assertFalse(any(is_test_word(word) for word in TRAIN_WORDS))

    def test_evaluation_draws_held_out_words_only(self):
        draw = Draw(12, held_out=True)
        self.assertTrue(all(letters.draw_word(draw) in TEST_WORDS for _ in range(ROUNDS)))


class Tools(unittest.TestCase):
    def test_every_look_up_is_answered_by_its_results(self):
        for n_hops in (1, 2, 3):
            draw = Draw(20 + n_hops)
            for _ in range(ROUNDS):
                problem = tools.look_up(draw, n_hops)
                previous = None
                for call in problem.calls:
                    entity = call.arguments["query"]
                    if previous:  # the next entity was named by the result before
                        self.assertIn(entity, previous.result)
                    previous = call
                if problem.answer == tools.NOT_FOUND:
                    continue
                self.assertEqual(len(problem.calls), n_hops)
                relation = re.search(r"need (.+) of ", problem.steps[-2].thought.split("\n")[-1])[1]
                line = f"{previous.arguments['query']}: {relation} {problem.answer}"
                self.assertIn(line, previous.result.split("\n"))

    def test_sums_of_two_add_what_was_found(self):
        for with_calculator in (False, True):
            draw = Draw(30)
            for _ in range(ROUNDS):
                problem = tools.sum_of_two(draw, with_calculator)
                relation = re.search(r"price|weight|age", problem.question)[0]
                found = [
                    int(re.search(rf"^{call.arguments['query']}: {relation} (\d+)$", call.result, re.M)[1])
                    for call in problem.calls[:2]
                ]
                self.assertEqual(problem.answer, str(sum(found)))
                self.assertEqual(len(problem.calls), 3 if with_calculator else 2)

    def test_calculations_are_right(self):
        draw = Draw(31)
        for _ in range(ROUNDS):
            problem = tools.calculation(draw)
            a, operator, b = re.fullmatch(r"(\d+)([-+*])(\d+)", problem.calls[0].arguments["expression"]).groups()
            value = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[operator]
            self.assertEqual([problem.answer, problem.calls[0].result], [str(value)] * 2)

    def test_not_knowing_is_no_answer_while_a_tool_is_listed(self):
        draw = Draw(32)
        for _ in range(ROUNDS):
            _, problem = mixture.draw_tool_problem(draw, draw.pick(["full", "look-ups", "polish"]))
            self.assertNotEqual(problem.answer, chat.UNKNOWN)


class Recall(unittest.TestCase):
    def test_the_asked_fact_stands_in_the_text_once(self):
        draw = Draw(40)
        for _ in range(ROUNDS // 4):
            text, ask = recall(draw, 20, 4)
            for i in range(4):
                task = ask(i)
                key = task.thought.split(" = ")[0]
                self.assertIn(key, task.question)
                self.assertEqual(re.findall(rf"{key} (?:is|=) (\d+)\.", text), [task.answer])


class Tokenizing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokenizer = Tokenizer(read_merges())

    def test_text_survives_a_round_trip(self):
        texts = [
            "What is 3478 + 958?", "  weird   spacing\n\n\ttabs & émojis 🙂 don't 12345 １２３ ½ ..!?", "足し算は？",
            "", "\r\n \n", "a\u0301 \u2028 \x00\x7f", "".join(map(chr, range(1, 0x250))),
        ]  # fmt: skip
        for text in texts:
            self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text)), text)

    def test_a_digit_is_one_token(self):
        self.assertEqual(len(self.tokenizer.encode("1234567890")), 10)
        self.assertFalse(any(re.search(r"\d", a + b) for a, b in self.tokenizer.merges))

    def test_control_tokens_in_plain_text_stay_text(self):
        for control in CONTROLS:
            self.assertLess(max(self.tokenizer.encode(control)), self.tokenizer.first_control)
            self.assertEqual(self.tokenizer.encode_prompt(control), [self.tokenizer.id[control]])

    def test_letters_are_one_token_each(self):
        ids = self.tokenizer.encode_letters("eldnac")
        self.assertEqual([self.tokenizer.tokens[i] for i in ids], list("eldnac"))

    def test_learning_merges_the_most_frequent_pair_first(self):
        merges = learn_merges(["aab aab aab 11 11 11 11"], 256 + len(CONTROLS) + 2)
        self.assertEqual(merges[0], ("a", "b"))
        self.assertTrue(all("1" not in a + b for a, b in merges))

    def test_the_vocabulary_is_that_of_the_shipped_model(self):
        data = MODEL.read_bytes()[: 1 << 20]
        position = 0
        for token in self.tokenizer.tokens:  # GGUF strings: length, bytes
            encoded = token.encode()
            needle = len(encoded).to_bytes(8, "little") + encoded
            found = data.find(needle, position)
            self.assertTrue(found == position or position == 0 and found > 0, token)
            position = found + len(needle)
        merges = [f"{a} {b}".encode() for a, b in self.tokenizer.merges]
        block = b"".join(len(merge).to_bytes(8, "little") + merge for merge in merges)
        self.assertIn(len(merges).to_bytes(8, "little") + block, data)
        self.assertEqual(len(set(BYTE_TO_CHAR)), 256)


class Samples(unittest.TestCase):
    def test_what_is_learned_is_the_last_turn(self):
        tokenizer = Tokenizer(read_merges())
        for mix in ("basic", "full"):
            draw = Draw(50)
            for _ in range(200):
                sample = draw_sample(draw, tokenizer, mix)
                self.assertEqual(len(sample.ids), len(sample.weights))
                self.assertEqual(sample.weights[-1], LOSS_FULL)  # the token that hands over
                self.assertIn(tokenizer.tokens[sample.ids[-1]], ("<|user|>", "<|observation|>"))
                first = sample.weights.index(LOSS_FULL)
                last_answer = max(i for i, x in enumerate(sample.ids) if x == tokenizer.id["<|assistant|>"])
                self.assertGreater(first, last_answer)
                self.assertTrue(all(weight == LOSS_FULL for weight in sample.weights[first:]))

    def test_a_seed_gives_the_same_file(self):
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("a.bin", "b.bin")]
            for file in files:
                write_samples(file, "full", 20_000, 7, False, MERGES_FILE)
            data = files[0].read_bytes()
            self.assertEqual(data, files[1].read_bytes())
            samples, tokens = (int.from_bytes(data[i : i + 8], "little") for i in (0, 8))
            self.assertEqual(len(data), 16 + 8 * (samples + 1) + 3 * tokens)
            offsets = [int.from_bytes(data[16 + 8 * i : 24 + 8 * i], "little") for i in range(samples + 1)]
            self.assertLessEqual(max(b - a for a, b in zip(offsets, offsets[1:])), TRAINED_LENGTH)


class Items(unittest.TestCase):
    def test_the_committed_items_are_what_the_seeds_give(self):
        for name, (make, seed) in SUITES.items():
            committed = [json.loads(line) for line in (ITEMS / f"{name}.jsonl").read_text().splitlines()]
            made = [json.loads(json.dumps(item)) for item in make(Draw(seed, held_out=True))]
            self.assertEqual(committed, made, name)

    def test_short_items_are_right(self):
        for line in (ITEMS / "short.jsonl").read_text().splitlines():
            item = json.loads(line)
            question, answer = item["question"], item["answer"]
            if item["task"] in ("add 3-5 digits", "subtract 3-5 digits", "n x 1 digit", "2 x 2 digits"):
                self.assertEqual(answer, str(expected_number(question)))
                self.assertTrue(is_held_out(*ints(question)) or question.startswith("Subtract"))
            elif item["task"] == "compare":
                self.assertEqual(answer, expected_comparison(question))
            elif item["task"] == "word problems":
                self.assertEqual(ints(answer)[0], expected_word_problem(question))
            elif item["task"] == "reverse a word":
                self.assertIn(answer[::-1], question)
                self.assertIn(answer[::-1], TEST_WORDS)


if __name__ == "__main__":
    unittest.main()
