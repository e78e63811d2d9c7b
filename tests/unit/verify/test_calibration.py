"""What a calibration's readings come to, and how much they prove."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from abverify.app.calibrating import lacks_only_calibration
from abverify.evidence.lock import RunLock
from abverify.evidence.rows import AGENTS, CalibrationRow, ParserCalibrationRow, Row
from abverify.model.corpus import STATES
from abverify.verify.calibration import (
    calibrated,
    calibration_count,
    calibration_line,
    readings_problem,
)
from abverify.verify.eligibility import judge
from tests.builders import (
    NOW,
    Run,
    agent_trial,
    calibration_rows,
    calibration_run,
    docket,
    lock_values,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from abverify.evidence.lock import Scalar
    from abverify.model.calibration_report import CalibrationCount


NOTHING: Mapping[str, Scalar] = {}
BOUND = (
    "100/100 readings right: at 95% confidence the meter misreads at most 0.0296,"
    " fails good work at most 0.0722, passes bad work at most 0.0488"
)


def rows(fixtures: int) -> list[Row]:
    names = [f"unix__{number:02}-x" for number in range(1, fixtures + 1)]
    readings: list[Row] = [
        CalibrationRow(
            fixture=name,
            state=state,
            passed=state == "reference",
            expected=state == "reference",
            detail="",
            millis=1,
        )
        for name in names
        for state in STATES
    ]
    readings += [agent_trial(agent, name) for name in names for agent in AGENTS]
    return [*readings, ParserCalibrationRow(profile="salvage", version=1, exact=9, total=9)]


def count(of: list[Row]) -> CalibrationCount:
    return calibration_count(calibration_run(rows=of).bundle())


def test_a_clean_calibration_of_twenty_fixtures_bounds_the_rate_of_misreadings() -> None:
    clean = count(rows(20))

    assert (clean.references, clean.bad_states) == ((20, 20), (40, 40))
    assert (clean.good_agent, clean.give_up_agent, clean.parser) == ((20, 20), (20, 20), (9, 9))
    assert clean.readings == (100, 100)
    assert clean.lines() == (
        ("states", "20/20 references pass, 40/40 bad states fail"),
        ("agents", "scripted agent passes 20/20, give-up agent fails 20/20"),
        ("parser", "9/9 cases exact"),
        (
            "bound",
            BOUND,
        ),
    )


@pytest.mark.parametrize("fixtures", [1, 2, 6, 20, 59])
def test_the_bound_of_n_clean_readings_is_one_less_the_nth_root_of_a_twentieth(
    fixtures: int,
) -> None:
    exact = 1 - 0.05 ** (1 / (5 * fixtures))

    stated = float(count(rows(fixtures)).misreads_at_most)

    assert exact <= stated < exact + 0.0001


def test_a_wrong_reading_raises_its_own_bound_and_the_whole() -> None:
    readings = rows(20)
    readings[1] = readings[1].model_copy(update={"passed": True})

    wrong = count(readings)

    assert (wrong.bad_states, wrong.readings) == ((39, 40), (99, 100))
    assert (wrong.fails_good_at_most, wrong.passes_bad_at_most) == ("0.0722", "0.0767")
    assert wrong.misreads_at_most == "0.0466"


def test_an_agent_that_passed_for_the_wrong_reason_is_not_counted_as_right() -> None:
    readings = rows(1)
    good = readings[3]
    readings[3] = good.model_copy(update={"turns": ()})

    bundle = calibration_run(rows=readings).bundle()

    assert calibration_count(bundle).good_agent == (0, 1)
    assert readings_problem(bundle) == "the calibration bundle is unsound"


def stands(*calibrations: Run, now: datetime = NOW, but: Mapping[str, Scalar] = NOTHING) -> bool:
    """Whether a run by this meter needs no calibration besides these."""
    lock = RunLock({**lock_values(), **but})
    bundles = [run.bundle() for run in calibrations]
    return calibrated(lock, bundles, max_age_days=30, now=now)


def wrong_rows() -> list[Row]:
    first, *others = calibration_rows()
    return [first.model_copy(update={"passed": False}), *others]


class TestAMeterNeedsACalibration:
    def test_when_it_has_none(self) -> None:
        assert not stands()

    def test_when_its_harness_corpus_toolchain_or_parser_is_another(self) -> None:
        assert stands(calibration_run())
        for key, value in (
            ("harness.sha256", "f" * 64),
            ("corpus.sha256", "f" * 64),
            ("toolchain.python", "another"),
            ("parser.profile", "strict"),
        ):
            assert not stands(calibration_run(), but={key: value}), key

    def test_when_the_newest_misread(self) -> None:
        later = "2026-02-19T09:00:00Z"
        bad = calibration_run(run="calibration-2", rows=wrong_rows(), finished_at=later)
        assert not stands(calibration_run(), bad)
        assert not stands(bad, calibration_run())
        assert stands(replace(bad, finished_at="2026-02-17T09:00:00Z"), calibration_run())

    def test_when_the_newest_misread_though_it_was_of_another_parser(self) -> None:
        values = {**lock_values(), "parser.profile": "strict"}
        bad = calibration_run(
            run="calibration-2",
            rows=wrong_rows(),
            finished_at="2026-02-19T09:00:00Z",
            values=values,
        )
        assert not stands(calibration_run(), bad)

    def test_when_it_is_too_old_or_from_the_future(self) -> None:
        taken = NOW.replace(month=2, day=18, hour=9, minute=0, second=0)
        assert stands(calibration_run(), now=taken + timedelta(days=30))
        assert not stands(calibration_run(), now=taken + timedelta(days=30, seconds=1))
        assert not stands(calibration_run(), now=taken - timedelta(minutes=6))


class TestABenchLacksOnlyItsCalibration:
    def test_when_that_alone_speaks_against_it(self) -> None:
        fit, whole = Run(), docket(calibrations=())
        assert lacks_only_calibration([judge(fit.bundle(), whole)], RunLock(lock_values()))

    def test_not_when_the_meter_is_another_by_now(self) -> None:
        item = judge(Run().bundle(), docket(calibrations=()))
        for key in ("harness.sha256", "toolchain.python"):
            now = RunLock({**lock_values(), key: "f" * 64})
            assert not lacks_only_calibration([item], now)

    def test_not_when_something_else_does_too_or_it_is_a_smoke_test(self) -> None:
        meter = RunLock(lock_values())
        for run in (Run(identity="absent"), Run(stage="smoke")):
            assert not lacks_only_calibration([judge(run.bundle(), docket(calibrations=()))], meter)
        assert not lacks_only_calibration([], meter)


def test_nothing_read_proves_nothing() -> None:
    nothing = count([])

    assert nothing.readings == (0, 0)
    assert nothing.misreads_at_most == "1.0000"


def test_a_report_says_which_calibration_it_was() -> None:
    bundle = calibration_run().bundle("gates/laptop/T1_001/evidence/calibration-1")

    line = calibration_line(bundle).to_json()

    assert {name: line[name] for name in ("path", "sha256", "finishedAt")} == {
        "path": "gates/laptop/T1_001/evidence/calibration-1",
        "sha256": bundle.sha256,
        "finishedAt": "2026-02-18T09:00:00Z",
    }
    assert line["count"]["references"] == [2, 2]
