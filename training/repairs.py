"""Synthetic one-place repairs: a file, a wrong line, the right line, a request.

The generator shares no file name, function name, constant, statement or phrase with the
fixtures that the adapter is later measured on; `tests/training/test_disjoint.py` proves it.
It draws from its own word lists and shapes, by a seed, and imports nothing but `random`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = (
    "orchard", "harbor", "lantern", "meadow", "quarry", "compass", "glacier", "ribbon", "saddle",
    "timber", "velvet", "walnut", "anchor", "basket", "cinder", "dagger", "ember", "falcon",
    "goblet", "hamlet", "ivory", "jigsaw", "kettle", "ladder", "magnet", "nectar", "oyster",
    "pebble", "quilt", "rocket", "sickle", "thimble", "urchin", "violin", "wagon", "zephyr",
    "bakery_stock", "city_map", "dice_table", "echo_chamber", "film_reel", "grain_store",
    "hill_walk", "ink_well", "jar_shelf", "kite_string", "lamp_post", "mill_race", "night_bus",
    "oven_timer", "paint_mix", "quiz_sheet", "rope_knot", "salt_box", "tide_chart", "valve_bank",
)  # fmt: skip
NOUNS = (
    "amount", "balance", "bucket", "cargo", "deposit", "effort", "factor", "gain", "height",
    "input_size", "joint", "kernel", "limit", "margin", "notice", "offset", "price", "quota",
    "ratio", "share", "tally", "unit", "volume", "weight", "yield_rate", "zone", "rows", "cells",
    "marks", "orders", "parts", "pages", "steps", "tokens", "users", "votes",
)  # fmt: skip
VERBS = (
    "adjust", "balance_of", "collect", "derive", "estimate", "filter_by", "grade", "halve",
    "inspect_one", "join_up", "keep_first", "label", "measure", "normalise", "offset_by", "pick",
    "quantise", "reduce_to", "scale", "trim", "update_all", "validate", "weigh", "zip_up",
)  # fmt: skip
NUMBERS = (11, 19, 22, 27, 29, 34, 36, 38, 41, 43, 46, 48, 52, 57, 61, 66, 72, 77, 84, 91, 96, 120)
"""Constants of its own; 0, 1 and 2 stand in every program and are shared by nature."""

Shape = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair.

    Attributes:
        path: the file.
        old: the line that is wrong, without its indentation.
        new: the line as it should be.
        request: what the user asks, in one or two sentences.
    """

    path: str
    old: str
    new: str
    request: str


def repairs(seed: int) -> Iterator[Repair]:
    """Endless repairs, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 (data, not secrets)
    while True:
        yield _repair(chance)


def _repair(chance: random.Random) -> Repair:
    module, function = chance.choice(MODULES), chance.choice(VERBS)
    a, b, c = chance.sample(NOUNS, 3)
    old, new = chance.choice(_SHAPES)(chance, a, b, c)
    path = f"{module}.py"
    request = chance.choice(_REQUESTS).format(path=path, function=function, old=old, new=new, a=a)
    return Repair(path, old, new, request)


_REQUESTS = (
    "Please mend {path}: in {function} the line `{old}` is wrong. Replace `{old}` with `{new}`.",
    "{function} in {path} gives bad answers. Change `{old}` to `{new}`.",
    "There is a slip in {path} about {a}. Replace `{old}` with `{new}`.",
    "In {path} somebody mistyped one statement of {function}. Change `{old}` to `{new}`.",
    "A reviewer found a mistake in {path}. Replace the statement `{old}` with `{new}`.",
    "Fix {path}. Change `{old}` to `{new}`.",
    "{path} fails its checks because {function} mishandles {a}. Replace `{old}` with `{new}`.",
    "The file {path} needs one repair. Change the statement `{old}` to `{new}`.",
    "In {path} the {a} comes out wrong. Replace `{old}` with `{new}`.",
    "Our function {function} ({path}) confuses two things. Replace `{old}` with `{new}`.",
)


def _operator(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(["+", "-", "*", "//", "%", "&", "|", "^", "**"], 2)
    head = chance.choice([f"return {a}", f"{c} = {a}", f"self.{c} = {a}", f"{c} = self.{a}"])
    return f"{head} {one} {b}", f"{head} {other} {b}"


def _comparison(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(["<", "<=", ">", ">=", "==", "!="], 2)
    word = chance.choice(["if", "while", "elif", "return"])
    colon = "" if word == "return" else ":"
    left = chance.choice([a, f"self.{a}", f"len({a})", f"{a}[0]"])
    del c
    return f"{word} {left} {one} {b}{colon}", f"{word} {left} {other} {b}{colon}"


def _logic(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(["and", "or"], 2)
    number = chance.choice(NUMBERS)
    left, right = f"{a} > {number}", f"{b} is not None"
    del c
    return f"return {left} {one} {right}", f"return {left} {other} {right}"


def _number(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(NUMBERS, 2)
    text = chance.choice(
        ["{a} = {b} * {n}", "return {b} + {n}", "{a} += {n}", "self.{a} = {n}", "{c} = {a} % {n}"]
    )
    return text.format(a=a, b=b, c=c, n=one), text.format(a=a, b=b, c=c, n=other)


def _call(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(["min", "max", "sum", "abs", "round", "sorted", "list", "set"], 2)
    inner = chance.choice([f"({a}, {b})", f"([{a}, {b}, {c}])", f"({a} - {b})"])
    head = chance.choice([f"{c} = ", "return ", f"self.{c} = "])
    return f"{head}{one}{inner}", f"{head}{other}{inner}"


def _slice(chance: random.Random, a: str, b: str, c: str) -> Shape:
    forms = [f"{a}[{b}:]", f"{a}[:{b}]", f"{a}[{b}]", f"{a}[-{b}]", f"{a}[{b} + 1]", f"{a}[::-1]"]
    one, other = chance.sample(forms, 2)
    head = chance.choice(["return ", f"{c} = ", f"{c} += "])
    return f"{head}{one}", f"{head}{other}"


def _parentheses(chance: random.Random, a: str, b: str, c: str) -> Shape:
    first, second = chance.sample(["+", "-", "*", "//"], 2)
    head = chance.choice(["return ", f"{c} = ", f"self.{c} = "])
    plain, grouped = f"{a} {first} {b} {second} {c}", f"({a} {first} {b}) {second} {c}"
    return chance.choice([(head + plain, head + grouped), (head + grouped, head + plain)])


def _assignment(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(["=", "+=", "-=", "*="], 2)
    right = chance.choice([b, f"len({b})", f"{b} - {c}", "1", "2"])
    left = chance.choice([a, f"self.{a}"])
    return f"{left} {one} {right}", f"{left} {other} {right}"


def _loop(chance: random.Random, a: str, b: str, c: str) -> Shape:
    forms = [
        f"range({b})", f"range(1, {b})", f"range({c}, {b})", f"range({b} - 1)",
        f"range({c}, {b}, 2)", f"enumerate({b})", f"reversed({b})",
    ]  # fmt: skip
    one, other = chance.sample(forms, 2)
    return f"for {a} in {one}:", f"for {a} in {other}:"


def _text(chance: random.Random, a: str, b: str, c: str) -> Shape:
    one, other = chance.sample(["upper", "lower", "strip", "title", "rstrip", "lstrip"], 2)
    tail = chance.choice(["", f" + {b}", f".replace({b}, {c})"])
    return f"return {a}.{one}(){tail}", f"return {a}.{other}(){tail}"


def _swap(chance: random.Random, a: str, b: str, c: str) -> Shape:
    text = chance.choice(["{x}, {y} = {y}, {z}", "return ({x}, {y}, {z})", "{x} = {y} - {z}"])
    names = [a, b, c]
    chance.shuffle(names)
    one = text.format(x=names[0], y=names[1], z=names[2])
    return one, text.format(x=names[0], y=names[2], z=names[1])


_SHAPES: tuple[Callable[[random.Random, str, str, str], Shape], ...] = (
    _operator, _comparison, _logic, _number, _call, _slice, _parentheses, _assignment, _loop,
    _text, _swap,
)  # fmt: skip
