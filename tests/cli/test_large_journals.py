"""What reads evidence holds what it needs of a journal, not the journal."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from abverify.errors import UntrustedError
from abverify.evidence.rows import MAX_ROW_BYTES, Row, Trial, TrialStarted, journal_lines
from tests.builders import NATIVE, PATH, Run, ended, turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SMALL, LARGE = 4, 36
"""Sizes of two journals that differ in nothing else, in MB."""
GROWTH = 8
"""By how much the larger journal may raise the peak memory, in MB: a quarter of what it adds."""

_RESUME = """
import sys
from pathlib import Path
from abverify.bench.journal import Journal
from abverify.evidence.lock import parse_lock
from abverify.evidence.manifest import Start
folder = Path(sys.argv[1])
lock = parse_lock((folder / "lock.json").read_bytes(), name="lock.json")
start = Start.model_validate_json((folder / "start.json").read_bytes())
with Journal(folder, start, lock) as journal:
    print(len(journal.measured()))
"""
_SPAWN = """
import os, sys
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
print(os.wait4(process, 0)[2].ru_maxrss)
"""
_STORE = """
import sys
from pathlib import Path
from abverify.workspace.evidence_store import load_evidence
store = load_evidence(Path(sys.argv[1]))
print([len(bundle.faults) for bundle in store.bundles])
"""


def journal(megabytes: int) -> list[Row]:
    """Trials of four turns whose texts and tools' answers are long, so many megabytes of them."""
    rows: list[Row] = []
    text = f"{'The loop must not take the first element for granted. ' * 2000}\n{NATIVE}"
    for number in range(megabytes * 2):
        trial = Trial(fixture="unix__01-head", seed=number + 1)
        long = turn(trial, 1, text)
        answer = long.results[0].model_copy(update={"output": "An answer.\n" * 2000})
        long = long.model_copy(update={"results": (answer,)})
        turns = [
            turn(trial, at, text).model_copy(update={"results": long.results}) for at in range(1, 5)
        ]
        rows += [TrialStarted(trial=trial), *turns, ended(trial, "budget_exhausted", 4)]
    return rows


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two repositories, each with one bundle."""

    def made(megabytes: int) -> Path:
        root = tmp_path_factory.mktemp(f"journal-{megabytes}")
        (root / "contracts").mkdir()
        folder = root / PATH
        folder.mkdir(parents=True)
        for name, data in Run(rows=journal(megabytes)).files().items():
            (folder / name).write_bytes(data)
        return root

    return made(SMALL), made(LARGE)


def peak(command: Sequence[str]) -> tuple[str, float]:
    """What a process printed, and the most memory that it held at once, in MB.

    It is started by a small process: what this one holds would count as its own until it starts.
    """
    run = subprocess.run(
        [sys.executable, "-S", "-c", _SPAWN, *command], capture_output=True, text=True, check=True
    )
    printed, _, most = run.stdout.rstrip().rpartition("\n")
    return printed, int(most) / 1024


def test_the_journals_are_as_large_as_they_are_said_to_be(roots: tuple[Path, Path]) -> None:
    small, large = ((root / PATH / "rows.jsonl").stat().st_size >> 20 for root in roots)

    assert large - small >= LARGE - SMALL


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        (("evidence", "verify", PATH), '"reasons":[]'),
        (("evidence", "show", PATH), '"result":"budget_exhausted"'),
        (("evidence", "rescore", PATH, "--profile", "strict"), '"result":"unchanged"'),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_verb_takes_no_more_memory_for_a_longer_journal(
    roots: tuple[Path, Path], verb: tuple[str, ...], told: str
) -> None:
    peaks = []
    for root in roots:
        command = (sys.executable, "-m", "abverify", *verb, "--root", str(root), "--format", "json")
        printed, most = peak(command)
        assert told in json.dumps(json.loads(printed), separators=(",", ":"))
        peaks.append(most)

    assert peaks[1] - peaks[0] < GROWTH


@pytest.mark.parametrize(
    ("script", "place", "told"),
    [(_STORE, "", ("[0]", "[0]")), (_RESUME, PATH, (str(SMALL * 2), str(LARGE * 2)))],
    ids=["every bundle, as a check reads them", "the journal of a run that is resumed"],
)
def test_no_more_memory_is_taken_for_a_longer_journal(
    roots: tuple[Path, Path], script: str, place: str, told: tuple[str, str]
) -> None:
    peaks = []
    for root, text in zip(roots, told, strict=True):
        command = (sys.executable, "-c", script, str(root / place))
        printed, most = peak(command)
        assert printed.strip() == text
        peaks.append(most)

    assert peaks[1] - peaks[0] < GROWTH


def test_a_line_longer_than_any_row_is_not_gathered_in_memory() -> None:
    piece = b"x" * (1 << 20)
    endless = (piece for _ in range(10 * MAX_ROW_BYTES // len(piece)))

    with pytest.raises(UntrustedError, match="longer than any row") as refusal:
        list(journal_lines(endless, name="rows.jsonl"))

    assert str(refusal.value.place) == "rows.jsonl:1"
    assert sum(map(len, endless)) > 8 * MAX_ROW_BYTES
