"""A run's trials in their fixed order, each journaled, failures of ours kept apart."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from abverify.bench.arena import Arena
from abverify.bench.desk import Desk
from abverify.bench.engines import EngineFailure
from abverify.bench.sandbox import SandboxFailed
from abverify.evidence.rows import Trial, TrialEnded, TrialStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.bench.engines import Engine
    from abverify.bench.journal import Journal
    from abverify.bench.oracle import Bench
    from abverify.bench.plan import Plan, Watcher
    from abverify.evidence.rows import Row
    from abverify.model.corpus import Fixture


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
