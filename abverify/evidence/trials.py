"""Journal rows folded into trials: what each one did, and which attempt of it counts.

A journal is folded as it is read, one trial after the other. A `WholeTrial` has every text of
its rows; it is looked at while it passes by, and what metrics and verdicts need of it stays as a
`TrialResult`, which is small however long the texts were.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeVar

from abverify._frozen import frozen
from abverify.evidence.detect import CALLED
from abverify.evidence.rows import OracleRow, TrialEnded, TrialStarted, TurnRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abverify.evidence.rows import Outcome, Row, Trial
    from abverify.model.corpus import OracleCommand

Verdict = Literal["native", "recovered", "refused", "none"]
Run = TypeVar("Run", "OracleFacts", OracleRow)


@frozen
class TurnFacts:
    """What is needed of a turn once its text was parsed again.

    Attributes:
        turn: its number, from 1.
        verdict: what the parser made of it.
        codes: the parse's codes.
        completion_tokens: tokens of its completion.
        tools_ok: whether every tool that it called worked.
    """

    turn: int
    verdict: Verdict
    codes: tuple[str, ...]
    completion_tokens: int
    tools_ok: bool


@frozen
class OracleFacts:
    """What is needed of one oracle command's run: which it was, after which turn, and its word."""

    turn: int
    command: str
    purpose: Literal["tests", "compliance"]
    passed: bool


@frozen
class Ended:
    """How a trial ended, why, and after how many turns by its own count."""

    outcome: Outcome
    reason: str
    turns: int


@frozen
class TrialResult:
    """One attempt at a trial, with everything the metrics need of it.

    Attributes:
        trial: fixture and declared seed.
        turns: its turns, in order.
        oracle: its oracle's runs, in order.
        ended: how it ended, or None if it was cut off.
    """

    trial: Trial
    turns: tuple[TurnFacts, ...]
    oracle: tuple[OracleFacts, ...]
    ended: Ended | None

    @property
    def measured(self) -> bool:
        """Whether the attempt says something about the model."""
        return self.ended is not None and self.ended.outcome != "infrastructure_failure"

    @property
    def passed(self) -> bool:
        """Whether every oracle command passed at the end."""
        return self.ended is not None and self.ended.outcome == "oracle_passed"

    @property
    def first_call(self) -> TurnFacts | None:
        """The first turn with a native or recovered call."""
        return next((turn for turn in self.turns if turn.verdict in CALLED), None)

    @property
    def turns_with_call(self) -> int:
        """Turns that kept the call format."""
        return sum(turn.verdict in CALLED for turn in self.turns)

    @property
    def recovered_from_failure(self) -> bool:
        """Whether it passed after a failed oracle run or a failed tool call."""
        stumbled = not all(run.passed for run in self.oracle) or not all(
            turn.tools_ok for turn in self.turns
        )
        return self.passed and stumbled

    def last_oracle_round(self) -> tuple[OracleFacts, ...]:
        """The oracle's runs after the last turn that it ran at."""
        return _last_round(self.oracle)

    def never_judged_by(self, declared: Iterable[OracleCommand]) -> tuple[str, ...]:
        """The declared oracle commands that were never run on the state whose tests passed.

        Empty while some test of the last oracle run failed or none was run: then nothing
        rests on the other commands.
        """
        last = self.last_oracle_round()
        tests = [run for run in last if run.purpose == "tests"]
        if not tests or not all(run.passed for run in tests):
            return ()
        ran = {(run.command, run.purpose) for run in last}
        return tuple(c.id for c in declared if (c.id, c.kind) not in ran)


@frozen
class WholeTrial:
    """One attempt at a trial with every text of its rows, for as long as somebody holds it.

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

    def last_oracle_round(self) -> tuple[OracleRow, ...]:
        """The oracle rows of the last turn the oracle ran at."""
        return _last_round(self.oracle)

    def result(self) -> TrialResult:
        """What the metrics need of it."""
        end = self.ended
        return TrialResult(
            trial=self.trial,
            turns=tuple(map(_turn_facts, self.turns)),
            oracle=tuple(map(_oracle_facts, self.oracle)),
            ended=Ended(end.outcome, end.reason, end.turns) if end else None,
        )


def _turn_facts(row: TurnRow) -> TurnFacts:
    return TurnFacts(
        turn=row.turn,
        verdict=row.parse.verdict,
        codes=_shared(row.parse.codes),
        completion_tokens=row.completion_tokens,
        tools_ok=all(result.ok for result in row.results),
    )


def _oracle_facts(row: OracleRow) -> OracleFacts:
    return OracleFacts(row.turn, sys.intern(row.command), row.purpose, row.passed)


@lru_cache(maxsize=4096)
def _shared(codes: tuple[str, ...]) -> tuple[str, ...]:
    """One and the same tuple for equal codes: a journal has few of them, and many turns."""
    return codes


def _last_round(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    last = runs[-1].turn if runs else None
    return tuple(run for run in runs if run.turn == last)


@dataclass(slots=True)
class _Open:
    """A trial still being folded."""

    trial: Trial
    turns: list[TurnRow] = field(default_factory=list)
    oracle: list[OracleRow] = field(default_factory=list)

    def whole(self, ended: TrialEnded | None) -> WholeTrial:
        return WholeTrial(self.trial, tuple(self.turns), tuple(self.oracle), ended)


class TrialFold:
    """Folds rows as they come; a trial is given back as soon as it is over."""

    def __init__(self) -> None:
        self._open: _Open | None = None

    def add(self, row: Row) -> WholeTrial | None:
        """Takes the next row; gives the trial that it ends, by its outcome or by another's start.

        Raises:
            ValueError: if the row belongs to no begun attempt, or follows its outcome.
        """
        if isinstance(row, TrialStarted):
            cut, self._open = self.cut_off(), _Open(row.trial)
            return cut
        if not isinstance(row, TurnRow | OracleRow | TrialEnded):
            return None
        current = self._open
        if current is None or current.trial != row.trial:
            raise ValueError(f"a {row.kind} row of {row.trial.fixture} outside its trial")
        if isinstance(row, TrialEnded):
            self._open = None
            return current.whole(row)
        if isinstance(row, OracleRow):
            current.oracle.append(row)
        elif row.turn == len(current.turns) + 1:
            current.turns.append(row)
        else:
            raise ValueError(f"turn {row.turn} of {row.trial.fixture} is out of order")
        return None

    def cut_off(self) -> WholeTrial | None:
        """The trial that was begun and did not end; None between trials."""
        return self._open.whole(None) if self._open else None


def whole_trials(rows: Iterable[Row]) -> Iterator[WholeTrial]:
    """Every attempt among the rows, in the order begun; one is in memory at a time.

    Raises:
        ValueError: if a row belongs to no begun attempt, or follows its outcome.
    """
    fold = TrialFold()
    for row in rows:
        if (whole := fold.add(row)) is not None:
            yield whole
    if (cut := fold.cut_off()) is not None:
        yield cut


def fold_trials(rows: Iterable[Row]) -> tuple[TrialResult, ...]:
    """What every attempt among the rows came to, in the order begun; errors as above."""
    return tuple(whole.result() for whole in whole_trials(rows))


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
