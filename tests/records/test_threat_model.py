"""The threat model's page: every attack has a test, and every test it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache

from abverify.model.rules import all_rules
from tests.support.repository import CHECKOUT

PAGE = (CHECKOUT / "docs/threat-model.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| `([^`|]+)` \|$", PAGE, re.MULTILINE)
TABLE = 36
"""So many attacks are known from the systems that ours was compared with."""


@cache
def functions_of(file: str) -> frozenset[str]:
    """The names of a file's test functions, in classes or not."""
    tree = ast.parse((CHECKOUT / file).read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_line_of_the_table_is_read() -> None:
    assert len(ROWS) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE))


def test_every_known_attack_has_a_line() -> None:
    assert {int(number) for number, *_ in ROWS} >= set(range(1, TABLE + 1))


def test_every_test_that_is_named_is_there() -> None:
    missing = [
        test
        for *_, test in ROWS
        for file, _, name in [test.partition("::")]
        if not (CHECKOUT / file).is_file() or name not in functions_of(file)
    ]
    assert missing == []


def test_every_rule_that_is_named_is_one() -> None:
    assert set(re.findall(r"AV\d{3}", PAGE)) - all_rules().keys() == set()
