"""Where a run's trials are measured: here, one after the other, or on a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from abverify.app.measurement import bench_for, engine_for, engine_notes, run_lock
from abverify.bench.schedule import run_trials
from abverify.bench.waves import run_waves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.measurement import OpenGate
    from abverify.bench.engines import Engine
    from abverify.bench.journal import Journal
    from abverify.bench.oracle import Bench
    from abverify.bench.schedule import Plan, Watcher
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
    """The one process that was started, with one engine."""

    def __init__(self, gate: OpenGate, engine: Engine, bench: Bench) -> None:
        self._engine, self._bench = engine, bench
        self.lock = run_lock(gate, engine.facts(), bench)
        self.identity = engine.identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What the engine noted while it identified the weights."""
        return engine_notes(self._engine)

    def run(self, plan: Plan, journal: Journal, watcher: Watcher) -> None:
        """Runs the trials in the plan's order, one by one or in waves, as the contract says."""
        from abverify.bench.engines.llama import LlamaEngine

        engine = self._engine
        if isinstance(engine, LlamaEngine) and engine.seats > 1:
            run_waves(plan, engine, self._bench, journal, watcher)
        else:
            run_trials(plan, engine, self._bench, journal, watcher)


@contextmanager
def here(
    root: Path, gate: OpenGate, watcher: Watcher, *, unsafe: bool, paranoid: bool
) -> Iterator[Here]:
    """Opens engine and sandbox in this process.

    Raises:
        AbverifyError: whatever keeps the gate from being measured here.
    """
    bench = bench_for(gate.corpus, unsafe=unsafe).alone()
    engine = engine_for(root, gate, watcher, paranoid=paranoid)
    try:
        yield Here(gate, engine, bench)
    finally:
        engine.close()
