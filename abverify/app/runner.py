"""Where a run's trials are measured: here, by one engine or several, or on a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from abverify.app.measurement import bench_for, engine_notes, engines_here, run_lock
from abverify.bench.desk import Desk
from abverify.bench.schedule import measure_trials, run_trials
from abverify.bench.side_by_side import measure_side_by_side
from abverify.bench.waves import gated, measure_waves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from abverify.app.measurement import OpenGate
    from abverify.bench.engines import Engine
    from abverify.bench.engines.llama import LlamaEngine
    from abverify.bench.journal import Journal
    from abverify.bench.oracle import Bench
    from abverify.bench.plan import Plan, Watcher
    from abverify.evidence.lock import RunLock
    from abverify.model.identity import IdentityLevel


class Runner(Protocol):
    """Something that measures trials under one lock."""

    @property
    def lock(self) -> RunLock:
        """The lock under which every trial is measured."""

    @property
    def identity(self) -> IdentityLevel:
        """How the model's identity was established."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the evidence should say of how the weights were identified."""

    def run(self, plan: Plan, journal: Journal, watcher: Watcher) -> None:
        """Runs every trial of the plan that is not measured yet, and journals it."""


class Here:
    """The one process that was started, with one engine or several side by side."""

    def __init__(self, gate: OpenGate, engines: Sequence[Engine], bench: Bench) -> None:
        self._engines, self._bench = tuple(engines), bench
        self.lock = run_lock(gate, self._engines[0].facts(), bench)
        self.identity = self._engines[0].identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What the engine noted while it identified the weights."""
        return engine_notes(self._engines[0])

    def run(self, plan: Plan, journal: Journal, watcher: Watcher) -> None:
        """Runs the trials of the plan, one by one or in waves, as the contract says."""
        from abverify.bench.engines.llama import LlamaEngine

        engines = [engine for engine in self._engines if isinstance(engine, LlamaEngine)]
        if engines and engines[0].seats > 1:
            desk = Desk(plan, journal, watcher, together=engines[0].seats)
            bench = gated(self._bench)
            _measured(engines, desk, lambda engine: measure_waves(desk, plan, engine, bench))
        elif len(engines) > 1:
            desk, bench = Desk(plan, journal, watcher), self._bench
            _measured(engines, desk, lambda engine: measure_trials(desk, plan, engine, bench))
        else:
            run_trials(plan, self._engines[0], self._bench, journal, watcher)


def _measured(
    engines: Sequence[LlamaEngine], desk: Desk, measure: Callable[[LlamaEngine], None]
) -> None:
    if len(engines) == 1:
        measure(engines[0])
    else:
        measure_side_by_side(engines, desk, measure)


@contextmanager
def here(
    root: Path,
    gate: OpenGate,
    watcher: Watcher,
    *,
    unsafe: bool,
    paranoid: bool,
    engines: int | None = 1,
    trials: int = 1,
) -> Iterator[Here]:
    """Opens engines and sandbox in this process.

    Args:
        root: the repository.
        gate: the gate to be measured.
        watcher: who looks on.
        unsafe: whether to run without a sandbox when none can be had.
        paranoid: whether to read every byte of the weights.
        engines: how many engines measure side by side; None for as many as suit the model.
        trials: how many trials there are to measure.

    Raises:
        AbverifyError: whatever keeps the gate from being measured here.
    """
    bench = bench_for(gate.corpus, unsafe=unsafe)
    opened = engines_here(root, gate, watcher, engines, trials=trials, paranoid=paranoid)
    try:
        yield Here(gate, opened, bench.alone() if len(opened) == 1 else bench)
    finally:
        for engine in opened:
            engine.close()
