"""Trials in waves: several at once, each step of them decoded together, the same way every time.

Which sequences share a batch changes logits, so who decodes beside whom follows from the plan
alone. A wave is the next `seats` trials of the plan, always counted from its first one. Its
trials go turn by turn in step: a turn is decoded once every trial still running has asked for
it, whatever its tools and oracles took, and these run beside each other in threads. The rows of
a wave are journaled when it ends, trial by trial in the plan's order.

So a wave is measured whole or not at all, also the one within which a stop rule fires: where the
bench stopped follows from the trials in their order, and what was measured past that is kept and
does not count. One that was cut off, or in which the infrastructure failed, is run again from its
beginning with all of its trials; of those, the ones that are measured already are run for company
only and not journaled twice.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
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
    from abverify.bench.engines import BatchEngine, Completion, Message
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
    table = _Table(engine, range(len(wave)))
    rows: dict[int, list[Row]] = {number: [] for number, _, _ in wave}

    def sit(seat: int, place: Place) -> None:
        number, trial, fixture = place
        try:
            run_trial(plan, trial, fixture, _Seat(table, seat), bench, rows[number].append)
        finally:
            table.leave(seat)

    try:
        engine.start_trial()
    except EngineFailure as failure:
        return _all_broken(wave, str(failure))
    with ThreadPoolExecutor(len(wave), thread_name_prefix="trial") as pool:
        running = [pool.submit(sit, seat, place) for seat, place in enumerate(wave)]
        try:
            table.serve()
        finally:
            table.close()
        for trial in running:
            trial.result()
    broken = [found[-1] for found in rows.values() if _is_broken(found[-1])]
    if broken:
        return _all_broken(wave, "a trial of its wave broke off: " + _why(broken[0]))
    return rows


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
    """Where the trials of a wave wait for each other, turn by turn.

    Attributes:
        engine: what answers them.
        seats: the seats of the wave's trials.
    """

    engine: BatchEngine
    seats: range
    _seated: set[int] = field(init=False)
    _asked: dict[int, Ask] = field(default_factory=dict)
    _answers: dict[int, Completion | EngineFailure] = field(default_factory=dict)
    _closed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._seated = set(self.seats)

    def ask(self, seat: int, ask: Ask) -> Completion:
        """Waits until everybody has asked, and for the answer.

        Raises:
            EngineFailure: if the engine broke, or the table was closed.
        """
        with self._changed:
            self._asked[seat] = ask
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or seat in self._answers)
            answer = self._answers.pop(seat, EngineFailure("the wave was broken off"))
        if isinstance(answer, EngineFailure):
            raise EngineFailure(str(answer))
        return answer

    def leave(self, seat: int) -> None:
        """A trial has ended."""
        with self._changed:
            self._seated.discard(seat)
            self._changed.notify_all()

    def serve(self) -> None:
        """Answers turn after turn until nobody is left."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: set(self._asked) == self._seated)
                if not self._seated:
                    return
                asked, self._asked = self._asked, {}
            answers: Mapping[int, Completion | EngineFailure]
            try:
                answers = self.engine.complete_together(asked)
            except EngineFailure as failure:
                answers = dict.fromkeys(asked, failure)
            with self._changed:
                self._answers |= answers
                self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


@frozen
class _Seat:
    """A trial's own engine: a seat at the table."""

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
        """The answer, once everybody has asked."""
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
