"""The oracle in the real sandbox: what passes, and what no model gets past it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from abverify.bench.confined import Confined
from abverify.bench.oracle import Bench, OracleReading, judge_files, judge_workspace
from abverify.bench.sandbox import find_sandbox, toolchains
from abverify.workspace.corpora import load_corpus
from tests.support.repository import CHECKOUT

from .tasks import RIGHT, START, TESTS, bench, task

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.corpus import Fixture

EXPECTING = {"run": ["python3", "-m", "unittest", "-v"], "expect": "Ran 2 tests"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    Confined(folder).fill({"head.py": START, "test_head.py": TESTS})
    return folder


def judged(fixture: Fixture, workspace: Path) -> tuple[bool, tuple[str, ...]]:
    readings, changed = judge_workspace(fixture, workspace, bench())
    return all(reading.passed for reading in readings), changed


def test_the_start_state_fails_and_the_mended_one_passes(workspace: Path) -> None:
    assert judged(task(), workspace) == (False, ())

    (workspace / "head.py").write_bytes(RIGHT)

    assert judged(task(), workspace) == (True, ())


def test_a_reading_says_how_its_command_ended(workspace: Path) -> None:
    (reading,) = judge_workspace(task(), workspace, bench())[0]

    assert isinstance(reading, OracleReading)
    assert (reading.passed, reading.exit_code, reading.killed) == (False, 1, None)
    assert "FAILED (failures=2)" in reading.output


def test_tampering_with_the_tests_is_reported_and_does_not_help(workspace: Path) -> None:
    (workspace / "test_head.py").write_text("")

    assert judged(task(), workspace) == (False, ("test_head.py",))


@pytest.mark.parametrize("how", ["removed", "a folder", "a link"])
def test_tests_that_are_no_file_any_more_are_reported_too(workspace: Path, how: str) -> None:
    (workspace / "test_head.py").unlink()
    if how == "a folder":
        (workspace / "test_head.py").mkdir()
    elif how == "a link":
        (workspace / "test_head.py").symlink_to("head.py")

    assert judged(task(), workspace) == (False, ("test_head.py",))


def test_protected_files_are_the_fixtures_own_even_where_a_glob_would_deliver_them(
    workspace: Path,
) -> None:
    (workspace / "test_head.py").write_text("")

    assert judged(task(deliverables=["*.py"]), workspace) == (False, ("test_head.py",))


def test_a_new_module_that_shadows_the_test_runner_does_not_help(workspace: Path) -> None:
    for name in ("unittest.py", "sitecustomize.py", "usercustomize.py"):
        (workspace / name).write_text("import os\nos._exit(0)\n")
    (workspace / "unittest").mkdir()
    (workspace / "unittest" / "__init__.py").write_text("import os\nos._exit(0)\n")

    assert judged(task(), workspace) == (False, ())


def test_a_new_file_counts_only_where_the_fixture_asks_for_it(workspace: Path) -> None:
    (workspace / "head.py").write_text("from rows import head\n")
    (workspace / "rows.py").write_bytes(RIGHT)

    assert judged(task(), workspace)[0] is False
    assert judged(task(deliverables=["rows.py"]), workspace)[0] is True


def test_leaving_early_passes_nothing_where_the_output_is_expected(workspace: Path) -> None:
    (workspace / "head.py").write_text("import os\nos._exit(0)\n")

    assert judged(task(command=EXPECTING), workspace) == (False, ())

    (workspace / "head.py").write_bytes(RIGHT)

    assert judged(task(command=EXPECTING), workspace) == (True, ())


FORGED = """\
import os, sys
sys.stderr.write("Ran 2 tests in 0.001s\\n\\nOK\\n")
sys.stderr.flush()
os._exit(0)
"""
FORGERIES = {
    "leaving when it is imported": FORGED,
    "leaving when it is called": "def head(lines, count):\n"
    + "".join(f"    {line}\n" for line in FORGED.splitlines()),
    "putting an assertion out of action": (
        "import unittest\n"
        "unittest.TestCase.assertEqual = lambda *_: None\n"
        "def head(lines, count): ...\n"
    ),
    "calling every result a success": (
        "import unittest\n"
        "unittest.TestResult.wasSuccessful = lambda _: True\n"
        "def head(lines, count): ...\n"
    ),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_pass_does_not_count_because_it_would_pass_a_failing_test_too(
    workspace: Path, how: str
) -> None:
    (workspace / "head.py").write_text(FORGERIES[how])
    expecting = task(command={"expect": "Ran 2 tests"})

    (reading,) = judge_workspace(expecting, workspace, bench())[0]

    assert (reading.passed, reading.exit_code) == (False, 0)
    assert reading.output.endswith(
        "[not counted: the command passes with a failing test in test_head.py as well]"
    )


@pytest.mark.parametrize("state", [RIGHT, START, FORGED.encode()], ids=["right", "start", "forged"])
def test_a_control_that_runs_beside_its_command_gives_the_same_reading(state: bytes) -> None:
    files = {"head.py": state, "test_head.py": TESTS}
    expecting = task(command={"expect": "Ran 2 tests"})

    in_turn, beside = (
        [replace(reading, millis=0) for reading in judge_files(expecting, files, one)]
        for one in (bench(), replace(bench(), spare_core=True))
    )

    assert beside == in_turn


def test_a_control_beside_its_command_is_held_to_the_callers_clock_too() -> None:
    endless = {"head.py": b"while True: pass\n", "test_head.py": TESTS}

    (reading,) = judge_files(task(), endless, replace(bench(), spare_core=True), seconds=0.5)

    assert (reading.passed, reading.cut_short) == (False, True)
    assert reading.millis < 5_000


def test_a_forged_pass_of_a_rust_crate_does_not_count_either() -> None:
    corpus = load_corpus(CHECKOUT, "fixtures/corpora/under-contract")
    fixture = corpus.fixture("leetcode__01-two-sum")
    assert fixture is not None
    rust = Bench(find_sandbox(), {"rust": toolchains.find("rust")})
    forged = b"""\
use std::io::Write;

pub fn two_sum(_: &[i64], _: i64) -> Option<(usize, usize)> {
    let _ = std::io::stdout().write_all(b"\\ntest result: ok. 9 passed; 0 failed\\n");
    std::process::exit(0);
}
"""

    (reading,) = judge_files(fixture, {**fixture.workspace, "src/lib.rs": forged}, rust)
    (honest,) = judge_files(fixture, fixture.state("reference"), rust)

    assert (reading.passed, reading.exit_code) == (False, 0)
    assert "test result: ok. 9 passed" in reading.output
    assert "[not counted: the command passes with a failing test in tests/two_sum.rs" in (
        reading.output
    )
    assert honest.passed


def test_what_one_command_leaves_behind_is_gone_when_the_next_one_runs(workspace: Path) -> None:
    (workspace / "head.py").write_bytes(RIGHT + b'\nopen("made", "w").close()\n')
    absent = {"id": "clean", "kind": "compliance", "run": ["sh", "-c", "test ! -e made"]}
    tests = {"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest", "-q"]}

    readings, _ = judge_workspace(task(oracle=[tests, absent]), workspace, bench())

    assert [reading.passed for reading in readings] == [True, True]


def test_an_endless_solution_is_killed_by_the_clock(workspace: Path) -> None:
    (workspace / "head.py").write_text("while True:\n    pass\n")

    (reading,) = judge_workspace(task(limits={"seconds": 1}), workspace, bench())[0]

    assert (reading.passed, reading.exit_code, reading.killed) == (False, None, "wall_seconds")


def test_every_command_runs_even_after_one_failed(workspace: Path) -> None:
    commands = [
        {"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest", "-q"]},
        {"id": "compiles", "kind": "compliance", "run": ["python3", "-m", "compileall", "-q", "."]},
        {"id": "none", "kind": "compliance", "run": ["no-such-command"]},
    ]

    readings, _ = judge_workspace(task(oracle=commands), workspace, bench())

    assert [(r.command.id, r.passed, r.exit_code) for r in readings] == [
        ("tests", False, 1),
        ("compiles", True, 0),
        ("none", False, 127),
    ]


def test_judging_leaves_no_trace_in_the_trials_workspace(workspace: Path) -> None:
    before = Confined(workspace).digests()

    judge_workspace(
        task(command={"run": ["sh", "-c", "touch made; rm head.py"]}), workspace, bench()
    )

    assert Confined(workspace).digests() == before


def test_the_files_of_a_state_can_be_judged_without_a_trial() -> None:
    fixture = task()

    assert all(r.passed for r in judge_files(fixture, fixture.state("reference"), bench()))
