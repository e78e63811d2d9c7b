"""Appending under kill -9 and under competition: before or after, never between, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from abverify.workspace.ledger_store import UNFINISHED
from tests.records.simulator import V4, V6
from tests.support.appender import append_one, begun, on_disk
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KILLS = 200
AIMED = 20
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
    with appender() as process:
        for kill in range(KILLS):
            root = tmp_path / str(kill // PER_LEDGER)
            if kill % PER_LEDGER == 0:
                begun(root)
            _killed(process, root, lambda: time.sleep(moments.uniform(0.0, 0.06)))


@pytest.mark.slow
def test_killed_in_the_middle_of_an_append_the_ledger_is_as_before_or_as_after(
    tmp_path: Path,
) -> None:
    """Killed once the plan of an append lies there, until twenty kills came before its end."""
    in_the_middle = 0
    with appender() as process:
        for kill in range(KILLS):
            root = tmp_path / str(kill // PER_LEDGER)
            if kill % PER_LEDGER == 0:
                begun(root)
            in_the_middle += _killed(process, root, partial(_wait_for_a_plan, root))
            if in_the_middle == AIMED:
                return
    pytest.fail(f"only {in_the_middle} kills came in the middle of an append")


def _killed(process: subprocess.Popen[str], root: Path, moment: Callable[[], object]) -> bool:
    """Kills a writer at a moment; whether an append was begun then and not ended."""
    before, plan = sound_size(root), _plan_of(root)
    writer = ask(process, f"{root} {V4} 1000")
    moment()
    os.kill(writer, signal.SIGKILL)
    returned = answer(process)
    left = _plan_of(root)
    more = sound_size(root) - before - returned
    assert more in {0, 1}, f"{more} records beyond the {returned} told"
    return left not in {None, plan}


def _wait_for_a_plan(root: Path) -> None:
    old, until = _plan_of(root), time.monotonic() + 30
    while _plan_of(root) in {None, old} and time.monotonic() < until:
        pass


def _plan_of(root: Path) -> int | None:
    """Which plan of an append lies there, if any; the one before may, until it is finished."""
    try:
        return (root / UNFINISHED).stat().st_mtime_ns
    except FileNotFoundError:
        return None


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
