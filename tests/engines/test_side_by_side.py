"""Several engines of the real model on one machine: the evidence of one, whatever happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from abverify.bench.desk import Desk
from abverify.bench.engines import EngineFailure
from abverify.bench.plan import Plan
from abverify.bench.schedule import measure_trials, run_trials
from abverify.bench.side_by_side import (
    SMALL_MODEL_BYTES,
    engines_for,
    free_memory,
    measure_side_by_side,
    usable_cores,
)
from abverify.evidence.lock import RunLock
from abverify.evidence.rows import row_line
from tests.builders import lock_values
from tests.support.journals import Nobody, open_journal
from tests.unit.bench.tasks import bench, config, task

from .smollm import engine_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from abverify.bench.engines.llama import LlamaEngine

LOCK = RunLock(lock_values())
SEEDS = (1, 2, 3, 4, 5)
GIB = 1 << 30


def plan() -> Plan:
    knobs = config(sampling__max_tokens=12, budgets__max_turns=2, budgets__max_silent_turns=None)
    return Plan((task(),), SEEDS, knobs, "You are a code agent.")


def run(folder: Path, engines: Sequence[LlamaEngine], watcher: Nobody | None = None) -> list[bytes]:
    """Runs or resumes the plan; gives its journal without the times."""
    looks_on = watcher or Nobody()
    with open_journal(folder, LOCK) as journal:
        if len(engines) == 1:
            run_trials(plan(), engines[0], bench(), journal, looks_on)
        else:
            desk = Desk(plan(), journal, looks_on)
            measure_side_by_side(
                engines, desk, lambda engine: measure_trials(desk, plan(), engine, bench())
            )
        return [row_line(row.model_copy(update={"millis": 0})) for row in journal.rows()]


@pytest.fixture
def engines(open_engine: Callable[..., LlamaEngine]) -> Iterator[list[LlamaEngine]]:
    opened = [open_engine(engine=engine_config(n_ctx=1024), threads=1) for _ in range(3)]
    yield opened
    for engine in opened:
        engine.close()


@pytest.fixture(scope="module")
def whole(
    open_engine: Callable[..., LlamaEngine], tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """The journal that one engine with every core makes."""
    with open_engine(engine=engine_config(n_ctx=1024)) as engine:
        return run(tmp_path_factory.mktemp("whole") / "run", [engine])


def test_three_engines_leave_the_journal_of_one(
    engines: list[LlamaEngine], whole: list[bytes], tmp_path: Path
) -> None:
    assert run(tmp_path / "run", engines) == whole


def test_an_interruption_stops_them_all_and_is_resumed_to_the_same_journal(
    engines: list[LlamaEngine], whole: list[bytes], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", engines[:2], Nobody(leaves_after=6))
    for engine in engines[:2]:
        with pytest.raises(EngineFailure):
            engine.start_trial()

    assert run(tmp_path / "run", engines[2:]) == whole


def test_an_engine_that_breaks_fails_its_own_trial_and_no_other(
    engines: list[LlamaEngine], whole: list[bytes], tmp_path: Path
) -> None:
    killed = threading.Event()
    first = engines[0]
    ask = first.complete

    def breaks_once(*arguments: object, **named: object) -> object:
        if not killed.is_set():
            killed.set()
            first._discard()
        return ask(*arguments, **named)  # type: ignore[arg-type]

    first.complete = breaks_once  # type: ignore[method-assign, assignment]
    broken = run(tmp_path / "run", engines[:2])

    assert sum(b'"outcome":"infrastructure_failure"' in row for row in broken) == 1
    assert set(whole) - set(broken) != set()
    resumed = run(tmp_path / "run", engines[2:])
    assert set(whole) <= set(resumed)


def test_a_small_model_gets_an_engine_for_each_core_and_a_large_one_all_cores() -> None:
    assert engines_for(100 << 20, 20, cores=2, free_bytes=16 * GIB) == 2
    assert engines_for(100 << 20, 20, cores=64, free_bytes=256 * GIB) == 8
    assert engines_for(SMALL_MODEL_BYTES + 1, 20, cores=64, free_bytes=256 * GIB) == 1


def test_no_more_engines_than_trials_nor_than_memory_holds() -> None:
    assert engines_for(100 << 20, 1, cores=8, free_bytes=16 * GIB) == 1
    assert engines_for(100 << 20, 20, cores=8, free_bytes=3 * GIB) == 2
    assert engines_for(100 << 20, 20, cores=8, free_bytes=0) == 1


def test_this_machine_tells_its_cores_and_its_memory() -> None:
    assert usable_cores() >= 1
    assert free_memory() > 0


@dataclass
class Told:
    """A neighbour that waits to be told how many threads it may use."""

    threads: int = 0
    told: threading.Event = field(default_factory=threading.Event)

    def use_threads(self, count: int) -> None:
        self.threads = count
        self.told.set()

    def interrupt(self) -> None:
        raise AssertionError("nobody is to be interrupted")


def test_who_still_measures_takes_the_cores_of_those_who_have_ended(tmp_path: Path) -> None:
    first, second = Told(), Told()

    def measure(engine: Told) -> None:
        if engine is second:
            assert engine.told.wait(30)

    with open_journal(tmp_path / "run", LOCK) as journal:
        measure_side_by_side([first, second], Desk(plan(), journal, Nobody()), measure)
    assert second.threads == usable_cores()
