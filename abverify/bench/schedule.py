"""A run's trials in their fixed order, each journaled, failures of ours kept apart."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from abverify.bench.arena import Arena
from abverify.bench.desk import Desk
from abverify.bench.engines import EngineFailure
from abverify.bench.sandbox import SandboxFailed
from abverify.evidence.rows import Trial, TrialEnded, TrialStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abverify.bench.engines import Engine
    from abverify.bench.journal import Journal
    from abverify.bench.oracle import Bench
    from abverify.evidence.rows import Row
    from abverify.evidence.trials import TrialResult
    from abverify.model.config import RunConfig
    from abverify.model.corpus import Fixture


class Watcher(Protocol):
    """Somebody who looks on: the terminal's live progress. Watching changes nothing."""

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """A trial begins."""

    def token(self, count: int) -> None:
        """The engine has sampled `count` tokens of the current turn."""

    def row(self, row: Row) -> None:
        """A row was journaled."""


class StopRules(Protocol):
    """The declared rules by which a bench may stop early, with the order that they rest on."""

    @property
    def order(self) -> tuple[tuple[str, int], ...]:
        """Every trial by fixture and seed, in the order of its running."""

    def needed(self, results: Mapping[tuple[str, int], TrialResult]) -> int:
        """How many trials of the order are needed, by what is known; the number only falls."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do.

    Attributes:
        fixtures: the fixtures to run, in order.
        seeds: the declared seeds; a fixture runs once with each.
        config: the contract's run configuration.
        system_prompt: the text of the system prompt.
        stop: the rules by which it may stop early, over exactly these fixtures and seeds; None
            to run every trial.
    """

    fixtures: Sequence[Fixture]
    seeds: Sequence[int]
    config: RunConfig
    system_prompt: str
    stop: StopRules | None = None

    def trials(self) -> tuple[tuple[Trial, Fixture], ...]:
        """Every trial: in the order of the stop rules, else seed by seed, fixture by fixture."""
        if self.stop is not None:
            named = {fixture.id: fixture for fixture in self.fixtures}
            return tuple(
                (Trial(fixture=name, seed=seed), named[name]) for name, seed in self.stop.order
            )
        return tuple(
            (Trial(fixture=fixture.id, seed=seed), fixture)
            for seed in self.seeds
            for fixture in self.fixtures
        )

    def needed(self, results: Mapping[tuple[str, int], TrialResult]) -> int:
        """How many of the trials, from the first one, are to be measured, by what is known."""
        if self.stop is None:
            return len(self.fixtures) * len(self.seeds)
        return self.stop.needed(results)

    def settled(self, results: Mapping[tuple[str, int], TrialResult]) -> bool:
        """Whether nothing is left to be measured.

        Args:
            results: the trials that are measured.
        """
        wanted = self.trials()[: self.needed(results)]
        return all((trial.fixture, trial.seed) in results for trial, _ in wanted)


def run_trials(
    plan: Plan, engine: Engine, bench: Bench, journal: Journal, watcher: Watcher
) -> None:
    """Runs every trial that is not measured yet, up to where a stop rule fires.

    A failure of the engine or the sandbox ends its trial as an infrastructure
    failure and the run goes on; an interruption leaves the trial open, to be
    started again from turn 1 when the run is resumed.
    """
    measure_trials(Desk(plan, journal, watcher), plan, engine, bench)


def measure_trials(desk: Desk, plan: Plan, engine: Engine, bench: Bench) -> None:
    """Measures trials with one engine until the desk has no more."""
    while (unit := desk.take()) is not None:
        for number, trial, fixture in unit.wanted:
            run_trial(plan, trial, fixture, engine, bench, partial(desk.put, unit, number))


def run_trial(
    plan: Plan,
    trial: Trial,
    fixture: Fixture,
    engine: Engine,
    bench: Bench,
    emit: Callable[[Row], None],
) -> None:
    """Runs one trial in a workspace of its own, from its first row to its last.

    A failure of the engine or the sandbox is its end too, as an infrastructure failure.
    """
    turns = 0

    def counting(row: Row) -> None:
        nonlocal turns
        turns += row.kind == "turn"
        emit(row)

    counting(TrialStarted(trial=trial))
    with tempfile.TemporaryDirectory(prefix="abverify-trial-") as folder:
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        arena = Arena(
            trial, fixture, plan.config, plan.system_prompt, engine, bench, workspace, counting
        )
        try:
            arena.run()
        except (EngineFailure, SandboxFailed) as failure:
            counting(broken_off(trial, str(failure), turns=turns))


def broken_off(trial: Trial, reason: str, *, turns: int) -> TrialEnded:
    """The end of a trial that measured nothing: the infrastructure failed it."""
    return TrialEnded(
        trial=trial,
        outcome="infrastructure_failure",
        reason=reason[:500],
        turns=turns,
        changes=(),
        millis=0,
    )
