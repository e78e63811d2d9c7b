"""Trials decoded together by the real model: the same evidence, however the run was cut up."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.app.cluster.runner import Cluster
from abverify.app.measurement import open_gate
from abverify.app.run import RunRequest, run_open_gate
from abverify.bench.engines import EngineFailure
from abverify.bench.plan import Plan
from abverify.bench.waves import run_waves
from abverify.errors import UsageError
from abverify.evidence.lock import RunLock
from abverify.evidence.rows import row_line
from tests.builders import lock_values
from tests.support.journals import Nobody, open_journal
from tests.unit.bench.tasks import bench, config, task

from .smollm import engine_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from abverify.bench.engines import Ask, Completion, Message
    from abverify.bench.engines.llama import LlamaEngine
    from abverify.bench.engines.llama_wave import LlamaWave
    from abverify.evidence.lock import Scalar
    from abverify.model.identity import IdentityLevel

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = RunLock(lock_values())
SEEDS = (1, 2, 3)
"""Three trials at two seats: a wave of two, and one of one."""


@pytest.fixture(scope="module", params=[None, 2], ids=["in step", "gap 2"])
def two_seats(
    open_engine: Callable[..., LlamaEngine], request: pytest.FixtureRequest
) -> Iterator[LlamaEngine]:
    config = engine_config(n_ctx=1024, sequences=2, turn_gap=request.param)
    with open_engine(engine=config) as engine:
        yield engine


@dataclass
class Counted:
    """The real engine, with who asked what written down; it breaks when told to.

    Attributes:
        breaks_after: after so many answers.
        waves: of each wave, the seats that asked with how many messages each time.
    """

    engine: LlamaEngine
    breaks_after: int | None = None
    waves: list[list[tuple[int, int]]] = field(default_factory=list)
    answered: int = 0

    @property
    def identity(self) -> IdentityLevel:
        return self.engine.identity

    @property
    def seats(self) -> int:
        return self.engine.seats

    def facts(self) -> Mapping[str, Scalar]:
        return self.engine.facts()

    def start_trial(self) -> None:
        self.engine.start_trial()

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        return self.engine.complete(messages, seed=seed, max_tokens=max_tokens, seconds=seconds)

    @contextmanager
    def wave(self, seats: Iterable[int]) -> Iterator[CountedWave]:
        self.waves.append([])
        with self.engine.wave(seats) as wave:
            yield CountedWave(self, wave)

    def close(self) -> None:
        self.engine.close()


@dataclass
class CountedWave:
    """A wave of the real engine."""

    counted: Counted
    wave: LlamaWave

    def ask(self, seat: int, ask: Ask) -> None:
        self.counted.waves[-1].append((seat, len(ask.messages)))
        self.wave.ask(seat, ask)

    def leave(self, seat: int) -> None:
        self.wave.leave(seat)

    def answers(self) -> Iterator[tuple[int, Completion]]:
        for answer in self.wave.answers():
            yield answer
            self.counted.answered += 1
            if self.counted.answered == self.counted.breaks_after:
                raise EngineFailure("pulled the plug")


def plan() -> Plan:
    settings = config(sampling__max_tokens=12, budgets__max_turns=2, budgets__max_silent_turns=None)
    return Plan((task(),), SEEDS, settings, "You are a code agent.")


def run(folder: Path, engine: Counted, watcher: Nobody | None = None) -> list[bytes]:
    """Runs or resumes the plan; gives its journal without the times."""
    with open_journal(folder, LOCK) as journal:
        run_waves(plan(), engine, bench(), journal, watcher or Nobody())
        return [row_line(row.model_copy(update={"millis": 0})) for row in journal.rows()]


def test_a_wave_takes_the_next_trials_of_the_plan(two_seats: LlamaEngine, tmp_path: Path) -> None:
    engine = Counted(two_seats)
    rows = run(tmp_path / "run", engine)

    # Two turns of the first two trials, then two of the third; each turn adds two messages.
    (first, second) = engine.waves
    rounds = [sorted(first[:2]), sorted(first[2:])]
    assert rounds == [[(0, 2), (1, 2)], [(0, 4), (1, 4)]]
    assert second == [(0, 2), (0, 4)]
    assert sum(b'"kind":"outcome"' in row for row in rows) == 3


def test_two_runs_have_the_same_rows_apart_from_times(
    two_seats: LlamaEngine, tmp_path: Path
) -> None:
    first = run(tmp_path / "one", Counted(two_seats))
    assert run(tmp_path / "two", Counted(two_seats)) == first


def test_a_run_cut_off_inside_a_wave_is_resumed_to_the_same_rows(
    two_seats: LlamaEngine, tmp_path: Path
) -> None:
    whole = run(tmp_path / "whole", Counted(two_seats))
    # The first trial's four rows are journaled, and one of the second's.
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Counted(two_seats), Nobody(leaves_after=5))

    again = Counted(two_seats)
    assert run(tmp_path / "cut", again) == whole
    assert sorted(again.waves[0][:2]) == [(0, 2), (1, 2)]  # the first kept the second company


def test_an_engine_that_breaks_leaves_a_whole_wave_unmeasured_and_the_next_one_runs(
    two_seats: LlamaEngine, tmp_path: Path
) -> None:
    whole = run(tmp_path / "whole", Counted(two_seats))
    broken = run(tmp_path / "cut", Counted(two_seats, breaks_after=2))

    assert sum(b'"outcome":"infrastructure_failure"' in row for row in broken) == 2
    assert broken[-4:] == whole[-4:]
    assert run(tmp_path / "cut", Counted(two_seats)) == [*broken, *whole[:-4]]


def test_a_cluster_refuses_a_contract_of_several_sequences() -> None:
    gate = open_gate(REPOSITORY, "S1_004")
    settings = gate.contract.config
    waves = settings.model_copy(
        update={"engine": settings.engine.model_copy(update={"sequences": 8})}
    )
    gate = replace(gate, contract=gate.contract.model_copy(update={"config": waves}))

    with pytest.raises(UsageError) as refused:
        run_open_gate(REPOSITORY, gate, RunRequest("S1_004", "bench", cluster=Cluster()), Nobody())

    assert (refused.value.rule, refused.value.found) == ("AV560", "8")
