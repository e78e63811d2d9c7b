from __future__ import annotations

import re

import pytest

from abverify.model.globs import glob_regex


@pytest.mark.parametrize(
    ("glob", "matching", "other"),
    [
        ("head.py", ["head.py"], ["head_py", "a/head.py", "head.pyc"]),
        ("*.py", ["a.py", ".py"], ["a/b.py", "a.pyc"]),
        ("src/*.rs", ["src/lib.rs"], ["src/a/b.rs", "lib.rs"]),
        ("**", ["a", "a/b/c.py"], []),
        ("**/*.py", ["a.py", "x/y/a.py"], ["a.txt"]),
        ("src/**/mod.rs", ["src/mod.rs", "src/a/b/mod.rs"], ["mod.rs", "src/amod.rs"]),
        ("a?.py", ["ab.py"], ["a.py", "a/.py", "abc.py"]),
        ("[a].py", ["[a].py"], ["a.py"]),
        ("a+(b)$", ["a+(b)$"], ["aab"]),
    ],
)
def test_a_glob_matches_what_it_reads_like(
    glob: str, matching: list[str], other: list[str]
) -> None:
    pattern = re.compile(glob_regex(glob))

    assert [path for path in matching if not pattern.fullmatch(path)] == []
    assert [path for path in other if pattern.fullmatch(path)] == []


def test_an_empty_glob_matches_nothing_but_an_empty_path() -> None:
    assert re.fullmatch(glob_regex(""), "") is not None
    assert re.fullmatch(glob_regex(""), "a") is None
