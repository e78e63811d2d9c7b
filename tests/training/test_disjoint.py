"""The adapter was not taught the fixtures: its training data shares nothing with them."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify.toolcalls import DEFAULT_TOOLS, parse, profile_by_name
from abverify.workspace.corpora import load_corpus
from training.conversations import NO_CALL, SYSTEM, conversations, edit_call
from training.repairs import MODULES, NOUNS, NUMBERS, VERBS, repairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.model.corpus import Fixture
    from training.repairs import Repair

ROOT = Path(__file__).resolve().parents[2]
CORPUS = "fixtures/corpora/small"
SEED, COUNT = 2026, 240
"""What `training/train.py` trains on."""
TRIVIAL = {0, 1, 2}
PHRASE = 5
"""Words in a row that may not stand in a fixture's prompt and in a request alike."""


@cache
def fixtures() -> tuple[Fixture, ...]:
    return load_corpus(ROOT, CORPUS).fixtures


@cache
def trained() -> str:
    """Every word of every conversation that the adapter was trained on."""
    turns = chain.from_iterable(conversations(SEED, COUNT))
    return "\n".join(turn.content for turn in turns if turn.role != "system")


def sources(fixture: Fixture) -> Iterator[str]:
    for files in (fixture.workspace, fixture.solution, fixture.broken):
        yield from (data.decode("utf-8") for name, data in files.items() if name.endswith(".py"))


def names(tree: ast.AST) -> Iterator[str]:
    """The modules, functions and classes that a file defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\b[0-9]+\b", text)}


def phrases(text: str) -> set[tuple[str, ...]]:
    """Runs of words outside the quoted statements."""
    words = re.findall(r"[A-Za-z_.]*[A-Za-z_]+", re.sub(r"`[^`]*`", " ", text))
    return {tuple(words[start : start + PHRASE]) for start in range(len(words) - PHRASE + 1)}


def test_no_file_name_is_shared() -> None:
    measured = {Path(name).stem for f in fixtures() for name in f.workspace}
    assert measured & set(MODULES) == set()
    assert len(measured) == 40


def test_no_function_or_class_name_is_shared() -> None:
    measured = {name for f in fixtures() for text in sources(f) for name in names(ast.parse(text))}
    assert measured & {*VERBS, *MODULES} == set()
    assert len(measured) > 40


def test_no_constant_is_shared() -> None:
    measured = set[int]().union(
        *(numbers(text) for f in fixtures() for text in (*sources(f), f.spec.prompt))
    )
    assert measured & set(NUMBERS) == set()
    assert numbers(trained()) - TRIVIAL <= set(NUMBERS)


def test_no_text_constant_is_shared() -> None:
    texts = {
        node.value
        for f in fixtures()
        for text in sources(f)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 1
    }
    assert len(texts) > 20
    assert [text for text in texts if f'"{text}"' in trained()] == []


def test_no_statement_is_shared() -> None:
    """Neither a wrong line of a fixture nor its repair was ever shown."""
    lines = {
        line.strip()
        for f in fixtures()
        for files in (f.workspace, f.solution, f.broken)
        for name, data in files.items()
        for line in data.decode("utf-8").splitlines()
        if not name.startswith("test_") and len(line.split()) > 1
    }
    shown = {text for repair in made() for text in (repair.old, repair.new)}
    assert lines & shown == set()
    assert len(lines) > 80


def test_no_phrase_of_a_prompt_is_shared() -> None:
    asked = set[tuple[str, ...]]().union(*(phrases(f.spec.prompt) for f in fixtures()))
    told = set[tuple[str, ...]]().union(*(phrases(repair.request) for repair in made()))
    assert asked & told == set()
    assert len(asked) > 100


@cache
def made() -> tuple[Repair, ...]:
    found = repairs(SEED)
    return tuple(next(found) for _ in range(COUNT))


def test_the_data_is_the_same_for_the_same_seed() -> None:
    turns = [[t.role, t.content, t.learned] for c in conversations(SEED, COUNT) for t in c]
    digest = sha256_hex(repr(turns).encode("utf-8"))
    assert digest == "adc751bf05f33508c89ef20ec7f9b1a2dc28bdd0b0e8575d6113280a93ff080c"


def test_every_learned_reply_is_a_native_call() -> None:
    profile = profile_by_name("salvage", 1)
    for conversation in conversations(SEED, COUNT):
        learned = [turn for turn in conversation if turn.learned]
        assert learned
        for turn in learned:
            parsed = parse(turn.content, finish_reason="stop", tools=DEFAULT_TOOLS, profile=profile)
            assert [call.native for call in parsed.calls] == [True]


def test_the_form_is_that_of_the_bench() -> None:
    """The prompts the adapter learned from are those that the contract declares."""
    contract = (ROOT / "contracts/S1_005.yaml").read_text(encoding="utf-8")
    assert f"system: {SYSTEM}" in contract
    assert f'no_call: "{NO_CALL}"' in contract


def test_names_of_variables_are_words_of_everyday_code() -> None:
    """Variables may coincide with a fixture's, as words do; the statements never."""
    assert len(set(NOUNS)) == len(NOUNS)
    assert all(repair.old != repair.new for repair in made())
    assert all("file_edit" in edit_call(repair) for repair in made())
