"""Names, things and words that the generated texts are made of."""

import json
from pathlib import Path

_words = json.loads((Path(__file__).parent / "words.json").read_text())
TRAIN_WORDS: list[str] = _words["train"]
TEST_WORDS: list[str] = _words["test"]  # held out: md5(word) % 10 == 0, see words.py

NAMES = "Tom Anna Ben Lucy Max Emma Sam Mia Leo Kate Jack Lily Paul Nina Mark Rosa".split()
MORE_NAMES = (
    "Eva Leon Olga Ivan Clara Hugo Ida Otto Vera Noah Zoe Karl Ruth Finn Dora Alan Beth Carl Dina Eric Fay Gina Hans "
    "Iris Joe Kim Lars Mona Ned Omar"
).split()
PEOPLE = NAMES + MORE_NAMES
CITIES = "Paris Rome Berlin Oslo Tokyo Madrid Lima Cairo Delhi Vienna Prague Milan Lyon Kyoto Dublin Quito".split()
GOODS = "apples books pens coins cards stones eggs cups shells stamps cookies balls oranges nuts".split()
KEYS = (
    "maple river tiger cloud amber cedar comet delta eagle ember falcon forest garden hazel ivory jade lemon lotus "
    "mango meadow nickel ocean olive onyx opal panda pearl pepper plum raven robin ruby sage salmon silver solar spark "
    "stone storm sunset topaz tulip velvet violet walnut willow winter zebra"
).split()
ADJECTIVES = "small red old quiet green bright slow cold happy dark warm tall white heavy soft".split()
NOUNS = "dog cat boat house tree bird road hill lake train horse door lamp field child".split()
VERBS = "sees likes follows finds passes hears meets helps watches leaves".split()
THING_ADJECTIVES = ADJECTIVES + "blue green black new big fast".split()
THING_NOUNS = NOUNS + "car ship bike clock shop book chair piano garden bridge tower ball".split()
COLORS = "red blue green yellow black white brown pink gray orange".split()
PETS = "dog cat bird fish horse rabbit mouse pony".split()
