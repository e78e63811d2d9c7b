"""A worker: one engine and one sandbox somewhere on the cluster, one trial at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.measurement import bench_for, engine_for, engine_notes, run_lock
from abverify.bench.schedule import run_trial
from abverify.errors import AbverifyError
from abverify.evidence.rows import row_line

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.measurement import OpenGate
    from abverify.bench.plan import Plan
    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import Row, Trial
    from abverify.model.identity import IdentityLevel


@frozen
class Order:
    """What a worker needs to open its engine.

    Attributes:
        root: the repository on the worker's machine; only weights and adapters whose source is
            a relative path are read from it.
        gate: the gate, opened and proven by the driver.
        threads: threads that the engine computes with.
        unsafe: whether to run without a sandbox when none can be had.
        paranoid: whether to read every byte of the weights.
    """

    root: Path
    gate: OpenGate
    threads: int
    unsafe: bool
    paranoid: bool


@frozen
class Opened:
    """What an opened worker is.

    Attributes:
        lock: the lock under which it measures.
        identity: how it established the model's identity.
        notes: what it noted while it did.
    """

    lock: RunLock
    identity: IdentityLevel
    notes: tuple[str, ...]


class Worker:
    """The actor's class. An `AbverifyError` is handed back as a value: it has to travel whole."""

    def __init__(self, order: Order) -> None:
        self._order = order

    def open(self) -> Opened | AbverifyError:
        """Opens engine and sandbox, and says under which lock they measure."""
        order = self._order
        try:
            self._bench = bench_for(order.gate.corpus, unsafe=order.unsafe)
            self._engine = engine_for(
                order.root, order.gate, _Nobody(), paranoid=order.paranoid, threads=order.threads
            )
            lock = run_lock(order.gate, self._engine.facts(), self._bench)
        except AbverifyError as error:
            return error
        return Opened(lock, self._engine.identity, engine_notes(self._engine))

    def measure(self, plan: Plan, trial: Trial) -> bytes:
        """Runs one trial and gives back its lines of the journal."""
        lines: list[bytes] = []
        fixture = next(fixture for fixture in plan.fixtures if fixture.id == trial.fixture)

        def emit(row: Row) -> None:
            lines.append(row_line(row))

        run_trial(plan, trial, fixture, self._engine, self._bench, emit)
        return b"".join(lines)


class _Nobody:
    """Nobody looks on at a worker: its rows arrive with the trial's end."""

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """Not shown."""

    def token(self, count: int) -> None:
        """Not shown."""

    def row(self, row: Row) -> None:
        """Not shown."""
