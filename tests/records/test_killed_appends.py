"""Appending under kill -9 and under competition: before or after, never between, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest

from abverify.workspace.ledger_store import UNFINISHED
from tests.records.simulator import V4, V6
from tests.support.appender import append_one, begun, on_disk
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KILLS = 200
PER_LEDGER = 20
"""After so many kills a fresh ledger, so that reading it does not take longer and longer."""


@contextmanager
def appender() -> Iterator[subprocess.Popen[str]]:
    """The program that forks writers, loaded and waiting."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.appender"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.communicate()


def ask(process: subprocess.Popen[str], line: str) -> int:
    """Forks a writer; its process id."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return answer(process)


def answer(process: subprocess.Popen[str]) -> int:
    """The next number that the program prints."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def sound_size(root: Path) -> int:
    """How many records the ledger has; every one of them must verify, and be in the log."""
    ledger = on_disk(root)
    assert ledger.faults == ()
    assert ledger.log is not None
    assert ledger.log.size == ledger.checked == ledger.total
    return ledger.total


@pytest.mark.slow
def test_killed_at_200_moments_the_ledger_is_as_before_or_as_after(tmp_path: Path) -> None:
    moments = Random(20261123)  # noqa: S311 (moments, not secrets)
    unreported, unfinished = 0, 0
    with appender() as process:
        for kill in range(KILLS):
            root = tmp_path / str(kill // PER_LEDGER)
            if kill % PER_LEDGER == 0:
                begun(root)
            before = sound_size(root)
            writer = ask(process, f"{root} {V4} 1000")
            time.sleep(moments.uniform(0.0, 0.06))
            os.kill(writer, signal.SIGKILL)
            returned = answer(process)
            unfinished += (root / UNFINISHED).exists()
            more = sound_size(root) - before - returned
            assert more in {0, 1}, f"kill {kill}: {more} records beyond the {returned} told"
            unreported += more
    assert unreported + unfinished > 0, "no kill ever came in the middle of an append"


def test_what_a_kill_left_is_finished_by_the_next_writer(tmp_path: Path) -> None:
    """Every moment between the plan and the last file, reached by taking the files back."""
    begun(tmp_path)
    log = sorted(path for path in (tmp_path / "gates/_log").rglob("*") if path.is_file())
    old = {path: path.read_bytes() for path in log}
    append_one(tmp_path, V4)
    new = {path: path.read_bytes() for path in log}
    record = tmp_path / "gates/serve/V1_004/000002.non-discharge.dsse.json"
    data = record.read_bytes()
    plan = _plan({record: data, **new}, tmp_path)
    for written in range(len(new) + 2):
        done = [record, *new][:written]
        for path, before in old.items():
            path.write_bytes(new[path] if path in done else before)
        record.unlink(missing_ok=True)
        if record in done:
            record.write_bytes(data)
        (tmp_path / UNFINISHED).write_bytes(plan)
        assert sound_size(tmp_path) == 3
    append_one(tmp_path, V6)
    assert not (tmp_path / UNFINISHED).exists()
    assert sound_size(tmp_path) == 4


def _plan(files: dict[Path, bytes], root: Path) -> bytes:
    from abverify.workspace.ledger_store import _planned

    return _planned({path.relative_to(root).as_posix(): data for path, data in files.items()})


@pytest.mark.parametrize("gates", [(V4, V4), (V4, V6)], ids=["one gate", "two gates"])
def test_two_writers_at_once_lose_no_record(tmp_path: Path, gates: tuple[object, object]) -> None:
    begun(tmp_path)
    with appender() as first, appender() as second:
        for process, gate in zip((first, second), gates, strict=True):
            ask(process, f"{tmp_path} {gate} 15")
        assert (answer(first), answer(second)) == (15, 15)
    assert sound_size(tmp_path) == 32
