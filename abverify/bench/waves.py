"""Trials in waves: several at once, each step of them decoded together, the same way every time.

Which sequences share a batch changes logits, so who decodes beside whom follows from the plan
alone. A wave is the next `seats` trials of the plan, always counted from its first one. When a
trial's next turn begins is counted in steps of the batch: with every other trial's, or a declared
gap after its own last one. Whoever is not ready by then is waited for, whatever its tools and
oracles take, and these run beside each other in threads. The rows of a wave are journaled when
it ends, trial by trial in the plan's order.

So a wave is measured whole or not at all, also the one within which a stop rule fires: where the
bench stopped follows from the trials in their order, and what was measured past that is kept and
does not count. One that was cut off, or in which the infrastructure failed, is run again from its
beginning with all of its trials; of those, the ones that are measured already are run for company
only and not journaled twice.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.desk import Desk
from abverify.bench.engines import Ask, EngineFailure
from abverify.bench.oracle import Bench
from abverify.bench.sandbox.interface import NO_ENV
from abverify.bench.schedule import broken_off, run_trial
from abverify.bench.side_by_side import usable_cores
from abverify.evidence.rows import TrialStarted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from abverify.bench.desk import Place
    from abverify.bench.engines import BatchEngine, Completion, Message, Wave
    from abverify.bench.journal import Journal
    from abverify.bench.plan import Plan, Watcher
    from abverify.bench.sandbox import Completed, Limits, Sandbox, Toolchain
    from abverify.evidence.lock import Scalar
    from abverify.evidence.rows import Row
    from abverify.model.identity import IdentityLevel


def run_waves(
    plan: Plan, engine: BatchEngine, bench: Bench, journal: Journal, watcher: Watcher
) -> None:
    """Runs every wave of the plan in which a trial is not measured yet.

    An interruption leaves the wave open, to be started again when the run is resumed.
    """
    measure_waves(Desk(plan, journal, watcher, together=engine.seats), plan, engine, gated(bench))


def measure_waves(desk: Desk, plan: Plan, engine: BatchEngine, bench: Bench) -> None:
    """Measures waves with one engine until the desk has no more."""
    while (unit := desk.take()) is not None:
        for number, rows in _measured(plan, unit.places, engine, bench).items():
            for row in rows:
                desk.put(unit, number, row)


def gated(bench: Bench) -> Bench:
    """A bench that runs no more commands at once than there are cores."""
    return Bench(_Gated(bench.sandbox), bench.toolchains)


def _measured(
    plan: Plan, wave: Sequence[Place], engine: BatchEngine, bench: Bench
) -> dict[int, list[Row]]:
    """The rows of each trial of a wave, by its number."""
    rows: dict[int, list[Row]] = {number: [] for number, _, _ in wave}
    try:
        engine.start_trial()
        with engine.wave(range(len(wave))) as together:
            _seat_and_serve(plan, wave, _Table(engine, together), bench, rows)
    except EngineFailure as failure:
        return _all_broken(wave, str(failure))
    broken = [found[-1] for found in rows.values() if _is_broken(found[-1])]
    if broken:
        return _all_broken(wave, "a trial of its wave broke off: " + _why(broken[0]))
    return rows


def _seat_and_serve(
    plan: Plan, wave: Sequence[Place], table: _Table, bench: Bench, rows: Mapping[int, list[Row]]
) -> None:
    """Runs the trials of a wave in threads of their own, and answers them from this one."""

    def sit(seat: int, place: Place) -> None:
        number, trial, fixture = place
        try:
            run_trial(plan, trial, fixture, _Seat(table, seat), bench, rows[number].append)
        finally:
            table.leave(seat)

    with ThreadPoolExecutor(len(wave), thread_name_prefix="trial") as pool:
        running = [pool.submit(sit, seat, place) for seat, place in enumerate(wave)]
        try:
            table.serve()
        finally:
            table.close()
        for trial in running:
            trial.result()


def _all_broken(wave: Sequence[Place], reason: str) -> dict[int, list[Row]]:
    """A wave that measured nothing: without one of its trials the others' batches are others."""
    return {
        number: [TrialStarted(trial=trial), broken_off(trial, reason, turns=0)]
        for number, trial, _ in wave
    }


def _is_broken(row: Row) -> bool:
    return row.kind == "outcome" and row.outcome == "infrastructure_failure"


def _why(row: Row) -> str:
    return row.reason if row.kind == "outcome" else ""


@dataclass(slots=True)
class _Table:
    """Where the trials of a wave ask, and wait for their answers.

    Attributes:
        engine: what answers them.
        wave: where it does.
    """

    engine: BatchEngine
    wave: Wave
    _answers: dict[int, Completion] = field(default_factory=dict)
    _failure: str | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, seat: int, ask: Ask) -> Completion:
        """Asks, and waits for the answer.

        Raises:
            EngineFailure: if the engine broke, or the table was closed.
        """
        self.wave.ask(seat, ask)
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None or seat in self._answers)
            if seat not in self._answers:
                raise EngineFailure(self._failure)
            return self._answers.pop(seat)

    def leave(self, seat: int) -> None:
        """A trial has ended."""
        # A wave that broke is over for everybody, and `serve` says so.
        with suppress(EngineFailure):
            self.wave.leave(seat)

    def serve(self) -> None:
        """Hands answers to those who asked until nobody is left.

        Raises:
            EngineFailure: if the engine broke.
        """
        try:
            for seat, completion in self.wave.answers():
                with self._changed:
                    self._answers[seat] = completion
                    self._changed.notify_all()
        except EngineFailure as failure:
            self._fail(str(failure))
            raise

    def close(self) -> None:
        """Nobody waits any longer."""
        self._fail("the wave was broken off")

    def _fail(self, reason: str) -> None:
        with self._changed:
            self._failure = self._failure or reason
            self._changed.notify_all()


@frozen
class _Seat:
    """A trial's own engine: a seat at the table of a wave."""

    table: _Table
    seat: int

    @property
    def identity(self) -> IdentityLevel:
        """The engine's own."""
        return self.table.engine.identity

    def facts(self) -> Mapping[str, Scalar]:
        """The engine's own."""
        return self.table.engine.facts()

    def start_trial(self) -> None:
        """Nothing is to be forgotten: the whole wave starts from an empty context."""

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        """The answer, when it comes."""
        return self.table.ask(self.seat, Ask(tuple(messages), seed, max_tokens, seconds))

    def close(self) -> None:
        """The seat is the wave's, which ends it."""


class _Gated:
    """A sandbox that runs no more commands at once than there are cores for their time limits."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._gate = threading.Semaphore(usable_cores())
        self.name, self.version, self.isolated = sandbox.name, sandbox.version, sandbox.isolated

    def run(
        self,
        argv: Sequence[str],
        *,
        workspace: Path,
        limits: Limits,
        toolchains: Sequence[Toolchain],
        stdin: bytes = b"",
        env: Mapping[str, str] = NO_ENV,
    ) -> Completed:
        """Runs a command when there is a core for it."""
        with self._gate:
            return self._sandbox.run(
                argv,
                workspace=workspace,
                limits=limits,
                toolchains=toolchains,
                stdin=stdin,
                env=env,
            )
