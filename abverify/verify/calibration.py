"""Whether the meter was calibrated: the newest readings of the same meter, all as they must be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify.evidence.lock import METER_KEYS
from abverify.model.corpus import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from abverify.evidence.bundle import Bundle


@dataclass(frozen=True, slots=True)
class CalibrationVerdict:
    """What the newest calibration of a run's meter says.

    Attributes:
        bundle: that calibration, or None if the meter was never calibrated.
        problem: why it does not count; None when it does.
    """

    bundle: Bundle | None
    problem: str | None


def calibration_for(
    run: Bundle, calibrations: Iterable[Bundle], *, max_age_days: int, now: datetime
) -> CalibrationVerdict:
    """Judges the newest calibration of the meter a run was measured with.

    The newest one decides even when an older one was better: a meter that
    stopped reading right is not rescued by its past. Its age counts both when
    the run ended and now; exactly `max_age_days` is still fresh.
    """
    same = [bundle for bundle in calibrations if _same_meter(bundle, run)]
    if not same:
        return CalibrationVerdict(
            None, "this meter (harness, corpus, sandbox) was never calibrated"
        )
    newest = max(same, key=lambda bundle: (bundle.manifest.finished_at, bundle.manifest.run))
    problem = readings_problem(newest) or _age_problem(newest, run, max_age_days, now)
    return CalibrationVerdict(newest, problem)


def _same_meter(calibration: Bundle, run: Bundle) -> bool:
    ours, theirs = calibration.lock.values, run.lock.values
    toolchains = [key for key in theirs if key.startswith("toolchain.")]
    keys = [*METER_KEYS, *toolchains]
    return all(key in ours and ours[key] == theirs.get(key) for key in keys)


def readings_problem(calibration: Bundle) -> str | None:
    """What is wrong with a calibration's readings; None if all are as they must be."""
    if calibration.faults:
        return "the calibration bundle is unsound"
    return _coverage_problem(calibration) or _reading_problem(calibration)


def _coverage_problem(calibration: Bundle) -> str | None:
    """Every fixture must have been read in each of its three states, once."""
    readings = calibration.calibrations()
    fixtures = calibration.lock.values.get("corpus.fixtures")
    if not readings or not isinstance(fixtures, int):
        return "the calibration has no readings"
    states = {(row.fixture, row.state) for row in readings}
    wanted = len(STATES) * fixtures
    if len(states) != wanted or len(readings) != wanted:
        return f"{len(states)} of {wanted} readings (three states a fixture) were taken"
    return None


def _reading_problem(calibration: Bundle) -> str | None:
    readings = calibration.calibrations()
    if any(row.expected != (row.state == "reference") for row in readings):
        return "the calibration expects the wrong thing of a state"
    wrong = [row for row in readings if row.passed != row.expected]
    if wrong:
        first = wrong[0]
        said = "passed" if first.passed else "failed"
        return f"{len(wrong)} wrong readings; the first: {first.fixture} ({first.state}) {said}"
    parser = calibration.parser_calibrations()
    if not parser or any(row.exact != row.total for row in parser):
        return "the parser's own corpus is not exact"
    return None


def _age_problem(calibration: Bundle, run: Bundle, max_age_days: int, now: datetime) -> str | None:
    taken = parse_timestamp(calibration.manifest.finished_at)
    if taken > now + timedelta(minutes=5):
        return "the calibration lies in the future"
    limit = timedelta(days=max_age_days)
    ended = parse_timestamp(run.manifest.finished_at)
    for moment, what in ((ended, "when the run ended"), (now, "now")):
        age = abs(moment - taken)
        if age > limit:
            days = age.days if age.days > max_age_days else f"more than {max_age_days}"
            return f"the calibration is {days} days old {what}; at most {max_age_days} count"
    return None
