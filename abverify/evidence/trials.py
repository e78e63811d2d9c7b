"""Journal rows folded into trials: what each one did, and which attempt of it counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.detect import CALLED
from abverify.evidence.rows import OracleRow, TrialEnded, TrialStarted, TurnRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.evidence.rows import Row, Trial
    from abverify.model.corpus import OracleCommand


@dataclass(slots=True)
class _Open:
    """A trial still being folded."""

    trial: Trial
    turns: list[TurnRow] = field(default_factory=list)
    oracle: list[OracleRow] = field(default_factory=list)
    ended: TrialEnded | None = None


@frozen
class TrialResult:
    """One attempt at a trial, with everything the metrics need of it.

    Attributes:
        trial: fixture and declared seed.
        turns: its turns, in order.
        oracle: its oracle rows, in order.
        ended: its outcome row, or None if it was cut off.
    """

    trial: Trial
    turns: tuple[TurnRow, ...]
    oracle: tuple[OracleRow, ...]
    ended: TrialEnded | None

    @property
    def measured(self) -> bool:
        """Whether the attempt says something about the model."""
        return self.ended is not None and self.ended.outcome != "infrastructure_failure"

    @property
    def passed(self) -> bool:
        """Whether every oracle command passed at the end."""
        return self.ended is not None and self.ended.outcome == "oracle_passed"

    @property
    def first_call(self) -> TurnRow | None:
        """The first turn with a native or recovered call."""
        return next((turn for turn in self.turns if turn.parse.verdict in CALLED), None)

    @property
    def turns_with_call(self) -> int:
        """Turns that kept the call format."""
        return sum(turn.parse.verdict in CALLED for turn in self.turns)

    @property
    def recovered_from_failure(self) -> bool:
        """Whether it passed after a failed oracle run or a failed tool call."""
        stumbled = any(not row.passed for row in self.oracle) or any(
            not result.ok for turn in self.turns for result in turn.results
        )
        return self.passed and stumbled

    def last_oracle_round(self) -> tuple[OracleRow, ...]:
        """The oracle rows of the last turn the oracle ran at."""
        if not self.oracle:
            return ()
        last = self.oracle[-1].turn
        return tuple(row for row in self.oracle if row.turn == last)

    def never_judged_by(self, declared: Iterable[OracleCommand]) -> tuple[str, ...]:
        """The declared oracle commands that were never run on the state whose tests passed.

        Empty while some test of the last oracle run failed or none was run: then nothing
        rests on the other commands.
        """
        last = self.last_oracle_round()
        tests = [row for row in last if row.purpose == "tests"]
        if not tests or not all(row.passed for row in tests):
            return ()
        ran = {(row.command, row.purpose) for row in last}
        return tuple(c.id for c in declared if (c.id, c.kind) not in ran)


def fold_trials(rows: Iterable[Row]) -> tuple[TrialResult, ...]:
    """Every attempt in the journal, in the order begun.

    Raises:
        ValueError: if a row belongs to no begun attempt, or follows its outcome.
    """
    order: list[_Open] = []
    current: _Open | None = None
    for row in rows:
        if isinstance(row, TrialStarted):
            current = _Open(row.trial)
            order.append(current)
        elif isinstance(row, TurnRow | OracleRow | TrialEnded):
            if current is None or current.trial != row.trial or current.ended is not None:
                raise ValueError(f"a {row.kind} row of {row.trial.fixture} outside its trial")
            _add(current, row)
    return tuple(TrialResult(o.trial, tuple(o.turns), tuple(o.oracle), o.ended) for o in order)


def _add(trial: _Open, row: TurnRow | OracleRow | TrialEnded) -> None:
    if isinstance(row, TurnRow):
        if row.turn != len(trial.turns) + 1:
            raise ValueError(f"turn {row.turn} of {row.trial.fixture} is out of order")
        trial.turns.append(row)
    elif isinstance(row, OracleRow):
        trial.oracle.append(row)
    else:
        trial.ended = row


def counted(trials: Iterable[TrialResult]) -> dict[tuple[str, int], TrialResult]:
    """The attempt that counts for each fixture and declared seed: the first measured one.

    Where no attempt was a measurement, the last one stands for the trial. A
    second measurement of one trial is refused: running again until luck
    strikes must not be possible by appending to a journal.

    Raises:
        ValueError: if a trial was measured twice.
    """
    chosen: dict[tuple[str, int], TrialResult] = {}
    for result in trials:
        key = (result.trial.fixture, result.trial.seed)
        if key in chosen and chosen[key].measured:
            raise ValueError(f"{key[0]} seed {key[1]} was measured twice")
        chosen[key] = result
    return chosen
