"""Two runs of one command say the same, and the code under test keeps its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.bench.confined import Confined
from abverify.bench.oracle import fixture_limits, judge_files
from abverify.bench.steady import steadied
from abverify.bench.tools import Tools

from .tasks import bench, task

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Ran 2 tests in 0.003s\n\nOK", "Ran 2 tests in 0.00s\n\nOK"),
        ("Ran 1 test in 12.5s", "Ran 1 test in 0.00s"),
        (
            "test result: ok. 9 passed; 0 failed; finished in 0.31s",
            "test result: ok. 9 passed; 0 failed; finished in 0.00s",
        ),
        (
            "Finished `test` profile [unoptimized] target(s) in 1.42s",
            "Finished `test` profile [unoptimized] target(s) in 0.00s",
        ),
        ("==== 3 passed in 0.05s ====", "==== 3 passed in 0.00s ===="),
        ("<tank.Tank object at 0x7f2a52e75620>", "<tank.Tank object at 0x0>"),
        ("thread 'adds' (4711) panicked at src/lib.rs:3", "thread 'adds' panicked at src/lib.rs:3"),
    ],
)
def test_what_changes_from_run_to_run_is_taken_out(said: str, kept: str) -> None:
    assert steadied(said) == kept


@pytest.mark.parametrize(
    "said",
    ["", "the lap took 3.25s", "wait 2s", "read at 0x10", "thread 'a' (1) waits", "in 0.5s", "é"],
)
def test_the_code_under_test_keeps_its_own_words(said: str) -> None:
    assert steadied(said) == said


def test_an_oracle_says_the_same_twice() -> None:
    spoiled = {**task().workspace, "head.py": b"def head(lines, count):\n    return object()\n"}

    first, second = (judge_files(task(), spoiled, bench())[0].output for _ in range(2))

    assert first == second
    assert "<object object at 0x0>" in first
    assert "Ran 2 tests in 0.00s" in first


def test_a_set_has_one_order(tmp_path: Path) -> None:
    Confined(tmp_path).fill({"a.txt": b""})
    here = bench()
    tools = Tools(tmp_path, here.sandbox, fixture_limits(task()), here.chain(task()))
    command = "python3 -c \"print({'ash', 'oak', 'elm', 'fir', 'yew'})\""

    said = {tools.execute("shell", {"command": command}, seconds=20.0).output for _ in range(4)}

    assert len(said) == 1
