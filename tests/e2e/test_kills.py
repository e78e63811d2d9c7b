"""Kill -9 at a hundred random moments: the bench that goes on is the one nobody disturbed.

Each kill hits a real process that writes a real journal and runs real tools and oracles in
the real sandbox. Twelve of them hit the live model; the rest hit stored completions, because
a hundred cold starts of a model say nothing more about the journal.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from abverify.evidence.bundle import read_bundle
from abverify.evidence.rows import TrialEnded, TrialStarted, parse_rows
from tests.support.processes import running
from tests.support.repository import CHECKOUT
from tests.support.rows import steady
from tests.support.scripted_bench import TRIALS
from tests.support.short import BENCH, journal, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from abverify.evidence.bundle import Bundle
    from tests.support.repository import Repository

    Start = Callable[[], AbstractContextManager[subprocess.Popen[str]]]

pytestmark = pytest.mark.slow

KILLS = 100
LIVE_KILLS = 12


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: after so many changes of the journal, and so many seconds more.

    Counted in changes, so that a busy machine spreads the moments as an idle one does.
    """

    changes: int
    seconds: float


NEVER = Moment(changes=10**6, seconds=0)


def moments(seed: int, *, changes: int, seconds: float) -> Iterator[Moment]:
    """Random moments, the same in every run of the test; some of them before the first row.

    Every number of changes comes up before one comes up again: few kills are spread, too.
    """
    random = Random(seed)  # noqa: S311 (moments to kill at, not a secret)
    while True:
        for number in random.sample(range(changes), changes):
            yield Moment(number, random.uniform(0, seconds))


@dataclass(slots=True)
class Killed:
    """One bench, killed until it is done, and what was seen on its disk after each kill.

    Attributes:
        folder: the run's folder, once there is one.
        under_way: how many trials may be begun and not journaled whole when it is killed.
        kills: how often it was killed.
        cut_off: how many trials that cut off.
        rows_left: how many rows each kill left.
    """

    folder: Callable[[], Path | None]
    under_way: int = 1
    kills: int = 0
    cut_off: int = 0
    rows_left: list[int] = field(default_factory=list)

    def go_on(self, start: Start, moment: Moment) -> bool:
        """Runs the bench up to a moment and kills it; False if it ended before."""
        with start() as process:
            self._wait(process, moment)
            process.kill()
            said, complaint = process.communicate()
        if process.returncode == -signal.SIGKILL:
            self.kills += 1
            self._look()
            return True
        assert process.returncode == 0, said + complaint
        return False

    def _wait(self, process: subprocess.Popen[str], moment: Moment) -> None:
        """Waits for so many changes of the journal, then so many seconds."""
        last, changes = self._size(), 0
        while changes < moment.changes and process.poll() is None:
            time.sleep(0.005)
            size = self._size()
            changes += size != last
            last = size
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment.seconds)

    def _size(self) -> int:
        folder = self.folder()
        path = folder / "rows.jsonl" if folder else None
        return path.stat().st_size if path and path.exists() else 0

    def _look(self) -> None:
        """Every attempt that is cut off stays counted, and a kill cuts off no more than run."""
        folder = self.folder()
        if folder is None or not (folder / "attempts.jsonl").exists():
            return
        attempts = (folder / "attempts.jsonl").read_bytes().count(b"\n")
        data = (folder / "rows.jsonl").read_bytes()
        rows = parse_rows(data[: data.rfind(b"\n") + 1], name="rows.jsonl")
        begun = sum(isinstance(row, TrialStarted) for row in rows)
        ended = sum(isinstance(row, TrialEnded) for row in rows)
        assert begun - ended in (0, 1)
        assert begun - ended <= attempts - ended
        assert self.cut_off <= attempts - ended <= self.cut_off + self.under_way
        self.cut_off = attempts - ended
        self.rows_left.append(len(rows))


def bundle(folder: Path) -> Bundle:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return read_bundle(files, path=folder.name)


def equals(killed: Killed, whole: Path, trials: int) -> None:
    """The killed bench's evidence is the undisturbed one's, and every attempt is counted."""
    folder = killed.folder()
    assert folder is not None
    assert steady(folder / "rows.jsonl") == steady(whole / "rows.jsonl")
    assert (folder / "scores.json").read_bytes() == (whole / "scores.json").read_bytes()
    assert (folder / "lock.json").read_bytes() == (whole / "lock.json").read_bytes()
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in whole.iterdir())
    evidence = bundle(folder)
    assert evidence.faults == ()
    assert len(evidence.trials) == trials
    assert evidence.manifest.attempts_total == trials + killed.cut_off


def scripted(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.scripted_bench", str(folder)],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_stored_completions_killed_until_every_bench_is_done(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert not Killed(lambda: whole).go_on(lambda: scripted(whole), NEVER)
    when = moments(1, changes=14, seconds=0.4)
    kills, places, rounds = 0, set(), count()
    while kills < KILLS - LIVE_KILLS:
        folder = tmp_path / f"bench-{next(rounds)}"
        killed = Killed(partial(Path, folder))
        while killed.go_on(partial(scripted, folder), next(when)):
            pass
        equals(killed, whole, TRIALS)
        kills += killed.kills
        places |= set(killed.rows_left)
    assert len(places) > 10, "the moments were spread over the bench"


def test_the_live_model_killed_until_its_bench_is_done(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    places = live_kills(tmp_path_factory, tmp_path, engines=1, kills=LIVE_KILLS)
    assert len(places) > 3, "the moments were spread over the bench"


def test_two_engines_of_the_live_model_killed_until_their_bench_is_done(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    live_kills(tmp_path_factory, tmp_path, engines=2, kills=LIVE_KILLS // 2)


def live_kills(
    factory: pytest.TempPathFactory, folder: Path, *, engines: int, kills: int
) -> set[int]:
    """Kills benches of three live trials so often; how many rows the kills left."""
    before, after = uninterrupted(factory)
    finished = run_folder(after)
    assert finished is not None
    when = moments(2, changes=9, seconds=1)
    done, places, rounds = 0, set[int](), count()
    while done < kills:
        repository = before.copy(folder / str(next(rounds)))
        killed = Killed(partial(run_folder, repository), under_way=1 if engines == 1 else 3)
        command = (*BENCH, "--engines", str(engines))
        while killed.go_on(partial(running, repository, *command), next(when)):
            pass
        equals(killed, finished, 3)
        done += killed.kills
        places |= set(killed.rows_left)
    return places


def run_folder(repository: Repository) -> Path | None:
    path = journal(repository)
    return path.parent if path else None
