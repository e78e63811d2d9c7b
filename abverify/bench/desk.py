"""Where a run's trials are handed out, and come back to the journal in the plan's order.

Whoever measures takes a unit of work: one trial, or a wave of them that are measured together.
Several may be under way at once, and end in any order; their rows are journaled in the order in
which the units were handed out, so the journal is the same however many measure. Rows whose turn
has not come wait in memory, and are lost with the process, as those of a half-done trial are.

A unit counts if, by the trials journaled before it, one of its own is still needed; the first
that is not ends the run, whatever was handed out past it. So a stop rule stops a bench where it
would have stopped with one trial after the other.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from abverify._clock import now, timestamp
from abverify._frozen import frozen
from abverify.evidence.manifest import Attempt
from abverify.evidence.trials import counted, fold_trials

if TYPE_CHECKING:
    from abverify.bench.journal import Journal
    from abverify.bench.plan import Plan, Watcher
    from abverify.evidence.rows import Row, Trial
    from abverify.model.corpus import Fixture

Place: TypeAlias = "tuple[int, Trial, Fixture]"
"""A trial, with its number in the plan and its fixture."""


@frozen
class Unit:
    """Trials that are measured together, by one engine.

    Attributes:
        places: all of them, in the plan's order.
        wanted: those that are not measured yet; the others keep them company.
    """

    places: tuple[Place, ...]
    wanted: tuple[Place, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the trials that are wanted."""
        return tuple(number for number, _, _ in self.wanted)


@dataclass(slots=True)
class _Begun:
    """A unit that was handed out.

    Attributes:
        unit: the unit.
        waiting: its rows that are not journaled yet, by trial.
        journaled: those that are.
        announced: of how many of its wanted trials the watcher was told.
        ended: how many of these are journaled whole.
    """

    unit: Unit
    waiting: dict[int, deque[Row]] = field(default_factory=dict)
    journaled: list[Row] = field(default_factory=list)
    announced: int = 0
    ended: int = 0


class Desk:
    """Hands units out, and journals what comes back. Several threads may use it."""

    def __init__(
        self, plan: Plan, journal: Journal, watcher: Watcher, *, together: int = 1
    ) -> None:
        """Lays out what is to be done.

        Args:
            plan: the run's trials.
            journal: where their rows go; what it holds as measured is not measured again.
            watcher: who is told, of each trial when its turn in the journal comes.
            together: how many trials make a unit, counted from the plan's first.
        """
        self._plan, self._journal, self._watcher = plan, journal, watcher
        self._done = journal.measured()
        places = tuple((number, *pair) for number, pair in enumerate(plan.trials(), 1))
        self._total = len(places)
        groups = (places[first : first + together] for first in range(0, len(places), together))
        units = (Unit(group, tuple(filter(self._is_wanted, group))) for group in groups)
        self._waiting = deque(unit for unit in units if unit.wanted)
        self._begun: deque[_Begun] = deque()
        self._open = True
        self._lock = threading.Lock()

    def take(self) -> Unit | None:
        """The next unit, each of its trials counted as attempted; None when nothing is left."""
        with self._lock:
            if not self._goes_on():
                return None
            unit = self._waiting.popleft()
            self._attempt(unit)
            self._begun.append(_Begun(unit))
            self._journal_in_order()
            return unit

    def retake(self, unit: Unit) -> None:
        """Counts another attempt at a unit whose engine was lost before it put anything."""
        with self._lock:
            self._attempt(unit)

    @property
    def left(self) -> int:
        """How many units are still to be handed out, by what is known now."""
        with self._lock:
            return len(self._waiting) if self._goes_on() else 0

    def put(self, unit: Unit, number: int, row: Row) -> None:
        """Takes a row of a unit's trial; those of a trial that keeps company are dropped."""
        with self._lock:
            begun = next((each for each in self._begun if each.unit is unit), None)
            if self._open and begun is not None and number in unit.numbers:
                begun.waiting.setdefault(number, deque()).append(row)
                self._journal_in_order()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is taken any more, because a stop rule fired or somebody closed it."""
        return not self._open

    def close(self) -> None:
        """Takes nothing any more: what is not journaled by now is not measured."""
        with self._lock:
            self._open = False

    def _goes_on(self) -> bool:
        return self._open and bool(self._waiting) and self._is_needed(self._waiting[0])

    def _attempt(self, unit: Unit) -> None:
        for _, trial, _ in unit.wanted:
            attempt = Attempt(fixture=trial.fixture, seed=trial.seed, at=timestamp(now()))
            self._journal.attempt(attempt)

    def _is_wanted(self, place: Place) -> bool:
        _, trial, _ = place
        return (trial.fixture, trial.seed) not in self._done

    def _is_needed(self, unit: Unit) -> bool:
        return min(unit.numbers) <= self._plan.needed(self._done)

    def _journal_in_order(self) -> None:
        while self._begun:
            first = self._begun[0]
            if not first.journaled and not self._is_needed(first.unit):
                self._open = False
                return
            if not self._journal_unit(first):
                return
            self._done |= counted(fold_trials(first.journaled))
            self._begun.popleft()

    def _journal_unit(self, begun: _Begun) -> bool:
        """Journals what waits of a unit whose turn has come; whether that was the last of it."""
        wanted = begun.unit.wanted
        while begun.ended < len(wanted):
            number, trial, _ = wanted[begun.ended]
            if begun.announced == begun.ended:
                begun.announced += 1
                self._watcher.trial_started(trial, number, self._total)
            waiting = begun.waiting.get(number)
            if not waiting:
                return False
            row = waiting.popleft()
            self._journal.append(row)
            begun.journaled.append(row)
            begun.ended += row.kind == "outcome"
            self._watcher.row(row)
        return True
