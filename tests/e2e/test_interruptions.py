"""A run that is cut off: nothing finished is lost, nothing is left behind, and it goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import (
    descendants,
    press_ctrl_c,
    running,
    survivors,
    wait_until,
)
from tests.support.repository import done
from tests.support.rows import steady
from tests.support.short import BENCH, in_mid_trial, journal, uninterrupted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Repository]:
    """The short repository before and after a bench that nobody disturbed."""
    return uninterrupted(tmp_path_factory)


@pytest.fixture
def short(whole: tuple[Repository, Repository], tmp_path: Path) -> Repository:
    """A copy that waits for its bench."""
    return whole[0].copy(tmp_path)


def rows(repository: Repository) -> list[bytes]:
    path = journal(repository)
    assert path is not None
    return steady(path)


@pytest.mark.parametrize("how", ["ctrl-c", "terminate"])
def test_it_ends_with_130_and_one_message_and_leaves_nothing_behind(
    short: Repository, tmp_path: Path, how: str
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(short, *BENCH, TMPDIR=str(temporary)) as process:
        wait_until(lambda: in_mid_trial(short), process)
        children = descendants(process)
        if how == "ctrl-c":
            press_ctrl_c(process)
        else:
            process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == (
        "interrupted: everything finished so far is kept; run the same command to go on"
    )
    assert "Traceback" not in err
    assert children
    assert survivors(children) == set()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "how", ["ctrl-c", "kill -9", pytest.param("terminate", marks=pytest.mark.slow)]
)
def test_the_same_command_goes_on_and_ends_with_the_journal_of_a_whole_run(
    short: Repository, whole: tuple[Repository, Repository], how: str
) -> None:
    with running(short, *BENCH) as process:
        wait_until(lambda: in_mid_trial(short), process)
        children = descendants(process)
        if how == "ctrl-c":
            press_ctrl_c(process)
        else:
            process.send_signal(signal.SIGKILL if how == "kill -9" else signal.SIGTERM)
        process.communicate(timeout=60)
    assert survivors(children) == set()
    cut, abandoned = rows(short), attempts(short) - ended(short)
    expected = rows(whole[1])
    assert 0 < len(cut) < len(expected)
    assert "unfinished-run" in done(short.run("check", "S1_004", "--format", "json"), 3).codes

    resumed = done(short.spawn(*BENCH)).json
    assert rows(short) == expected
    assert (resumed["verdict"], resumed["checked"], resumed["total"]) == ("complete", 3, 3)
    assert abandoned in (1, 2), "as many as engines at most"
    assert attempts(short) == 3 + abandoned, "every abandoned attempt is counted"


def attempts(repository: Repository) -> int:
    path = journal(repository)
    assert path is not None
    return path.with_name("attempts.jsonl").read_bytes().count(b"\n")


def ended(repository: Repository) -> int:
    path = journal(repository)
    assert path is not None
    return path.read_bytes().count(b'"kind":"outcome"')


def test_two_runs_at_once_are_refused(short: Repository) -> None:
    with running(short, *BENCH) as first:
        wait_until(lambda: journal(short) is not None, first)
        first.send_signal(signal.SIGSTOP)
        second = short.spawn(*BENCH)
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=120)
    assert (second.code, second.json["schema"]) == (1, "abverify/error/v1")
    assert second.err.startswith("error[AV520]: another process is writing this run\n  at: ")
    assert "next: wait for it to end, or stop it" in second.err
    assert first.returncode == 0


def test_a_finished_run_is_left_as_it_is(
    whole: tuple[Repository, Repository], tmp_path: Path
) -> None:
    after = whole[1].copy(tmp_path)
    before = after.tree()
    ran = done(after.spawn(*BENCH)).json
    assert (ran["verdict"], ran["evidence"]["fresh"]) == ("complete", False)
    assert after.tree() == before
