"""The desk: trials go out in the plan's order, and come back to the journal in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abverify.bench.desk import Desk
from abverify.bench.plan import Plan
from abverify.evidence.lock import RunLock
from abverify.evidence.manifest import ATTEMPTS
from abverify.evidence.rows import TrialEnded, TrialStarted
from abverify.verify.stopping.rule import Stopping
from tests.builders import contract, lock_values
from tests.support.journals import Nobody, open_journal

from .tasks import config, task

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from abverify.bench.desk import Unit
    from abverify.bench.journal import Journal
    from abverify.evidence.rows import Row, Trial

LOCK = RunLock(lock_values())
NAMES = tuple(f"unix__0{number}-head" for number in range(1, 7))


class Told:
    """Looks on and remembers the order of what it was told."""

    def __init__(self) -> None:
        self.started: list[int] = []

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        assert (trial.fixture, total) == (self.name(number), len(NAMES))
        self.started.append(number)

    def name(self, number: int) -> str:
        return NAMES[number - 1]

    def token(self, count: int) -> None: ...

    def row(self, row: Row) -> None: ...


def plan(*, stop: bool = False) -> Plan:
    """Six fixtures, one seed; with `stop`, two passes end it."""
    law = contract(
        evidence__bench__stop=["success-certain"] if stop else "never",
        criteria=[{"id": "oracle", "metric": "oracle_passed", "at_least": 2}],
    )
    rules = Stopping.of(law, NAMES) if stop else None
    return Plan(tuple(task(id=name) for name in NAMES), (1,), config(), "", rules)


def journal(folder: Path) -> Journal:
    return open_journal(folder, LOCK, "absent")


def trial_rows(
    trial: Trial, outcome: Literal["oracle_passed", "oracle_failed"] = "oracle_failed"
) -> tuple[Row, Row]:
    ended = TrialEnded(trial=trial, outcome=outcome, reason="", turns=0, changes=(), millis=0)
    return TrialStarted(trial=trial), ended


def finish(desk: Desk, unit: Unit, *, passes: bool = False) -> None:
    for number, trial, _ in unit.places:
        for row in trial_rows(trial, "oracle_passed" if passes else "oracle_failed"):
            desk.put(unit, number, row)


def taken(desk: Desk) -> Unit:
    unit = desk.take()
    assert unit is not None
    return unit


def ended(journal: Journal) -> list[str]:
    return [row.trial.fixture for row in journal.rows() if row.kind == "outcome"]


def test_a_trial_that_ends_early_waits_for_those_before_it(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as opened:
        desk = Desk(plan(), opened, told := Told())
        first, second = taken(desk), taken(desk)
        finish(desk, second)
        assert (ended(opened), told.started) == ([], [1])
        finish(desk, first)
        assert (ended(opened), told.started) == ([NAMES[0], NAMES[1]], [1, 2])


def test_the_rows_of_the_first_trial_are_journaled_as_they_come(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as opened:
        desk = Desk(plan(), opened, Told())
        unit = taken(desk)
        ((number, trial, _),) = unit.places
        desk.put(unit, number, TrialStarted(trial=trial))
        assert [row.kind for row in opened.rows()] == ["trial"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), together=st.integers(1, 4), hands=st.integers(1, 4))
def test_however_many_measure_and_whoever_is_faster_the_journal_is_the_plans(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, together: int, hands: int
) -> None:
    with journal(tmp_path_factory.mktemp("desk") / "run") as opened:
        desk = Desk(plan(), opened, told := Told(), together=together)
        under_way: list[Unit] = []
        while True:
            while len(under_way) < hands and (unit := desk.take()) is not None:
                under_way.append(unit)
            if not under_way:
                break
            finish(desk, under_way.pop(data.draw(st.integers(0, len(under_way) - 1))))
        assert ended(opened) == list(NAMES)
        assert told.started == [1, 2, 3, 4, 5, 6]


def test_a_stop_rule_stops_where_one_trial_after_the_other_would_have_stopped(
    tmp_path: Path,
) -> None:
    with journal(tmp_path / "run") as opened:
        desk = Desk(stopping := plan(stop=True), opened, Nobody())
        units = [taken(desk) for _ in range(4)]
        for unit in (units[3], units[2]):
            finish(desk, unit, passes=True)
        finish(desk, units[0], passes=True)
        assert not desk.is_closed
        finish(desk, units[1], passes=True)

        assert ended(opened) == [trial.fixture for trial, _ in stopping.trials()[:2]]
        assert desk.is_closed
        assert desk.take() is None


def test_what_is_measured_already_only_keeps_a_wave_company(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as opened:
        desk = Desk(plan(), opened, Told(), together=2)
        unit = taken(desk)
        ((number, trial, _), _) = unit.places
        for row in trial_rows(trial):
            desk.put(unit, number, row)
    with journal(tmp_path / "run") as opened:
        desk = Desk(plan(), opened, Told(), together=2)
        unit = taken(desk)
        assert [number for number, _, _ in unit.places] == [1, 2]
        assert unit.numbers == (2,)
        finish(desk, unit)
        assert ended(opened) == [NAMES[0], NAMES[1]]


def test_nothing_is_taken_after_it_was_closed(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as opened:
        desk = Desk(plan(), opened, Told())
        unit = taken(desk)
        desk.close()
        finish(desk, unit)
        assert (ended(opened), desk.take()) == ([], None)


def test_every_trial_that_was_handed_out_is_counted_as_attempted(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as opened:
        desk = Desk(plan(), opened, Told())
        for _ in range(3):
            taken(desk)
    attempts = (tmp_path / "run" / ATTEMPTS).read_bytes()
    assert attempts.count(b"\n") == 3
