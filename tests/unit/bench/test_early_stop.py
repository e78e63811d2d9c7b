"""Where a bench stops: one by one, in waves, cut off and resumed, or broken in between."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pytest

from abverify.bench.engines import EngineFailure
from abverify.bench.plan import Plan
from abverify.bench.schedule import run_trials
from abverify.bench.waves import run_waves
from abverify.evidence.lock import RunLock
from abverify.evidence.order import trial_order
from abverify.evidence.rows import row_line
from abverify.evidence.scores import compute_scores
from abverify.verify.stopping.rule import Stopping
from tests.builders import PROSE, contract, lock_values
from tests.support import waves
from tests.support.journals import open_journal

from .tasks import MEND, bench, config, said, task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from abverify.bench.engines import Ask, Completion, Message
    from abverify.evidence.lock import Scalar
    from abverify.evidence.rows import Row, Trial
    from abverify.evidence.scores import Scores
    from abverify.model.identity import IdentityLevel

NAMES = tuple(f"unix__0{number}-head" for number in range(1, 7))
ORDER = trial_order(NAMES, (1,))
FIRST, SECOND, THIRD, FOURTH, *_ = (name for name, _ in ORDER)
LAW = contract(
    evidence__bench__stop=["failure-certain", "success-certain"],
    criteria=[{"id": "oracle", "metric": "oracle_passed", "at_least": 2}],
)
STOPPING = Stopping.of(LAW, NAMES)
PLAN = Plan(
    tuple(task(id=name, prompt=f"Mend head.py of {name}.") for name in NAMES),
    (1,),
    config(),
    "You are a code agent.",
    STOPPING,
)


@dataclass
class Scripted:
    """A model that passes some fixtures and talks about the others, alone or several at once.

    Attributes:
        passes: the fixtures it passes.
        breaks: those at which the engine breaks.
        seats: how many conversations it holds at once.
    """

    passes: frozenset[str]
    breaks: frozenset[str] = frozenset()
    seats: int = 1
    identity: IdentityLevel = "absent"
    asked: list[str] = field(default_factory=list)

    def facts(self) -> Mapping[str, Scalar]:
        return {}

    def start_trial(self) -> None: ...

    def close(self) -> None: ...

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        del seed, max_tokens, seconds
        name = next(n for n in NAMES if any(f"of {n}." in m.content for m in messages))
        self.asked.append(name)
        if name in self.breaks:
            raise EngineFailure("pulled the plug")
        return said(MEND if name in self.passes else PROSE)

    def wave(self, seats: Iterable[int]) -> nullcontext[waves.Scripted]:
        def answer(ask: Ask) -> Completion:
            return self.complete(ask.messages, seed=0, max_tokens=1, seconds=1)

        return nullcontext(waves.Scripted(seats, answer))


class Watching:
    """Looks on; presses Ctrl-C at the end of a trial, by its number, when told to."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.ended = 0
        self.leaves_after = leaves_after

    def trial_started(self, trial: Trial, number: int, total: int) -> None: ...

    def token(self, count: int) -> None: ...

    def row(self, row: Row) -> None:
        self.ended += row.kind == "outcome"
        if self.ended == self.leaves_after:
            raise KeyboardInterrupt


LOCK = RunLock(lock_values())


def run(
    folder: Path,
    engine: Scripted,
    *,
    how: Literal["one by one", "waves"] = "one by one",
    leaves_after: int | None = None,
) -> tuple[list[str], Scores, list[bytes]]:
    """Runs or resumes the bench: the fixtures that ended, its scores, and its steady journal."""
    assert STOPPING is not None
    with open_journal(folder, LOCK, "absent") as journal:
        runs = run_waves if how == "waves" else run_trials
        runs(PLAN, engine, bench(), journal, Watching(leaves_after))
        trials = journal.trials()
        stop = STOPPING.stop(trials)
        scores = compute_scores(trials, fixtures=NAMES, seeds=(1,), stop=stop)
        rows = [row_line(row.model_copy(update={"millis": 0})) for row in journal.rows()]
        return [row.trial.fixture for row in journal.rows() if row.kind == "outcome"], scores, rows


def test_trials_run_in_the_fixed_order_until_success_is_certain(tmp_path: Path) -> None:
    ended, scores, _ = run(tmp_path / "run", Scripted(frozenset({FIRST, THIRD, FOURTH})))

    assert ended == [FIRST, SECOND, THIRD]
    assert scores.stop is not None
    assert scores.stop.text().startswith("stopped at 3 of 6 by success-certain")


def test_trials_run_until_failure_is_certain(tmp_path: Path) -> None:
    ended, scores, _ = run(tmp_path / "run", Scripted(frozenset()))

    assert ended == [name for name, _ in ORDER[:5]]
    assert scores.stop is not None
    assert scores.stop.fired == "failure-certain"


def test_without_stop_rules_every_trial_runs_fixture_by_fixture() -> None:
    plan = Plan(PLAN.fixtures, (1,), PLAN.config, "")

    assert [trial.fixture for trial, _ in plan.trials()] == list(NAMES)
    assert plan.needed({}) == 6


@pytest.mark.parametrize("leaves_after", [1, 2, 3])
def test_a_bench_that_was_cut_off_stops_where_it_would_have_stopped(
    tmp_path: Path, leaves_after: int
) -> None:
    passes = frozenset({FIRST, THIRD})
    whole = run(tmp_path / "whole", Scripted(passes))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Scripted(passes), leaves_after=leaves_after)

    assert run(tmp_path / "cut", Scripted(passes)) == whole


def test_a_trial_that_broke_off_is_run_again_and_may_move_the_stop_forward(tmp_path: Path) -> None:
    passes = frozenset({FIRST, SECOND, THIRD})
    broken, unsettled, _ = run(tmp_path / "run", Scripted(passes, breaks=frozenset({SECOND})))
    again = Scripted(passes)
    mended, settled, _ = run(tmp_path / "run", again)

    assert (broken, mended) == ([FIRST, SECOND, THIRD], [FIRST, SECOND, THIRD, SECOND])
    assert set(again.asked) == {SECOND}
    assert unsettled.stop is not None
    assert unsettled.stop.fired is None
    assert settled.to_bytes() == run(tmp_path / "whole", Scripted(passes))[1].to_bytes()


@pytest.mark.parametrize(("seats", "measured"), [(2, 4), (3, 3), (5, 5), (6, 6)])
def test_waves_measure_whole_waves_and_have_the_scores_of_the_trials_one_by_one(
    tmp_path: Path, seats: int, measured: int
) -> None:
    passes = frozenset({FIRST, THIRD, FOURTH})
    single = run(tmp_path / "single", Scripted(passes))

    ended, scores, _ = run(tmp_path / "waves", Scripted(passes, seats=seats), how="waves")

    assert len(ended) == measured
    assert scores.to_bytes() == single[1].to_bytes()


@pytest.mark.parametrize("leaves_after", [1, 2, 3, 4])
def test_waves_that_were_cut_off_stop_where_they_would_have_stopped(
    tmp_path: Path, leaves_after: int
) -> None:
    passes = frozenset({FIRST, THIRD})
    whole = run(tmp_path / "whole", Scripted(passes, seats=2), how="waves")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Scripted(passes, seats=2), how="waves", leaves_after=leaves_after)

    assert run(tmp_path / "cut", Scripted(passes, seats=2), how="waves")[1] == whole[1]
