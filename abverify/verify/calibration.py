"""Whether the meter was calibrated: the newest readings of the same meter, all as they must be."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify._frozen import frozen
from abverify.evidence.lock import METER_KEYS
from abverify.evidence.rows import AGENTS
from abverify.model.calibration_report import CalibrationCount, CalibrationLine
from abverify.model.corpus import STATES
from abverify.verify.stats import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.lock import RunLock
    from abverify.evidence.passage import AgentReading
    from abverify.evidence.rows import CalibrationRow
    from abverify.model.calibration_report import Tally


@frozen
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
    same = [bundle for bundle in calibrations if same_meter(bundle.lock, run.lock)]
    if not same:
        return CalibrationVerdict(
            None, "this meter (harness, corpus, sandbox) was never calibrated"
        )
    newest = _newest(same)
    ended = parse_timestamp(run.manifest.finished_at)
    moments = ((ended, "when the run ended"), (now, "now"))
    problem = readings_problem(newest) or _age_problem(newest, moments, max_age_days)
    return CalibrationVerdict(newest, problem)


def calibrated(
    meter: RunLock, calibrations: Iterable[Bundle], *, max_age_days: int, now: datetime
) -> bool:
    """Whether a run that is measured now needs no calibration first.

    One of exactly this lock, parser and loop included, must count now, and so must the newest of
    the meter: that one will decide whether the run counts.

    Args:
        meter: the lock that a calibration made now would have.
        calibrations: those there are.
        max_age_days: how old one may be.
        now: the moment of asking.
    """
    same = [bundle for bundle in calibrations if same_meter(bundle.lock, meter)]
    own = [bundle for bundle in same if bundle.lock.sha256 == meter.sha256]
    return bool(own) and not any(
        readings_problem(newest) or _age_problem(newest, ((now, "now"),), max_age_days)
        for newest in (_newest(own), _newest(same))
    )


def _newest(calibrations: Iterable[Bundle]) -> Bundle:
    return max(calibrations, key=lambda bundle: (bundle.manifest.finished_at, bundle.manifest.run))


def same_meter(calibration: RunLock, run: RunLock) -> bool:
    """Whether a calibration read the meter of a run: harness, corpus, sandbox, toolchains."""
    ours, theirs = calibration.values, run.values
    toolchains = [key for key in theirs if key.startswith("toolchain.")]
    keys = [*METER_KEYS, *toolchains]
    return all(key in ours and ours[key] == theirs.get(key) for key in keys)


def readings_problem(calibration: Bundle) -> str | None:
    """What is wrong with a calibration's readings; None if all are as they must be."""
    if calibration.faults:
        return "the calibration bundle is unsound"
    return _coverage_problem(calibration) or _reading_problem(calibration)


def _coverage_problem(calibration: Bundle) -> str | None:
    """Every fixture must have been read in each of its states and by each agent, once."""
    fixtures = calibration.lock.values.get("corpus.fixtures")
    states = Counter[tuple[str, str]]((row.fixture, row.state) for row in calibration.readings)
    agents = Counter[tuple[str, str]]((row.fixture, row.agent) for row in calibration.agents)
    if not states or not isinstance(fixtures, int):
        return "the calibration has no readings"
    problem = _uncovered(states, len(STATES) * fixtures, "readings (three states a fixture)")
    problem = problem or _uncovered(
        agents, len(AGENTS) * fixtures, "scripted trials (two agents a fixture)"
    )
    if problem is None and {name for name, _ in states} != {name for name, _ in agents}:
        return "the scripted agents worked on other fixtures than were read"
    return problem


def _uncovered(taken: Counter[tuple[str, str]], wanted: int, what: str) -> str | None:
    if len(taken) == taken.total() == wanted:
        return None
    again = taken.total() - len(taken)
    return f"{len(taken)} of {wanted} {what} were taken" + (f", {again} again" if again else "")


def _reading_problem(calibration: Bundle) -> str | None:
    readings, agents = calibration.readings, calibration.agents
    if any(row.expected != (row.state == "reference") for row in readings):
        return "the calibration expects the wrong thing of a state"
    if any(row.expected != (row.agent == "good") for row in agents):
        return "the calibration expects the wrong thing of an agent"
    wrong = [_said(row, row.state) for row in readings if not _right(row)]
    wrong += [_said(row, f"{row.agent} agent") for row in agents if not _right_agent(row)]
    if wrong:
        return f"{len(wrong)} wrong readings; the first: {wrong[0]}"
    parser = calibration.parsers
    if not parser or any(row.exact != row.total for row in parser):
        return "the parser's own corpus is not exact"
    return None


def _said(row: CalibrationRow | AgentReading, who: str) -> str:
    return f"{row.fixture} ({who}) {'passed' if row.passed else 'failed'}"


def _right(row: CalibrationRow) -> bool:
    return row.passed == row.expected


def _right_agent(row: AgentReading) -> bool:
    """Right for the right reason: the good agent by native calls that worked, the other by none.

    A trial that broke is no reading.
    """
    if not row.trial.measured or row.passed != row.expected:
        return False
    turns = row.trial.turns
    calls = [turn for turn in turns if turn.verdict != "none"]
    if not row.expected:
        return bool(turns) and not calls
    return bool(calls) and all(turn.verdict == "native" and turn.tools_ok for turn in calls)


def calibration_count(calibration: Bundle) -> CalibrationCount:
    """A calibration's readings by kind, and what they say of the meter."""
    readings, agents = calibration.readings, calibration.agents
    references = _tally(_right(row) for row in readings if row.state == "reference")
    bad_states = _tally(_right(row) for row in readings if row.state != "reference")
    good, idle = (_tally(_right_agent(r) for r in agents if r.agent == name) for name in AGENTS)
    parser = calibration.parsers
    return CalibrationCount(
        references=references,
        bad_states=bad_states,
        good_agent=good,
        give_up_agent=idle,
        parser=(sum(row.exact for row in parser), sum(row.total for row in parser)),
        fails_good_at_most=_at_most(references, good),
        passes_bad_at_most=_at_most(bad_states, idle),
        misreads_at_most=_at_most(references, good, bad_states, idle),
    )


def calibration_line(calibration: Bundle) -> CalibrationLine:
    """A calibration as a report shows it."""
    return CalibrationLine(
        path=calibration.path,
        sha256=calibration.sha256,
        finished_at=calibration.manifest.finished_at,
        count=calibration_count(calibration),
    )


def _tally(right: Iterable[bool]) -> Tally:
    judged = tuple(right)
    return sum(judged), len(judged)


def _at_most(*tallies: Tally) -> str:
    """The exact one-sided 95 % upper limit of the share that is wrong, rounded up; 1 of nothing."""
    total = sum(of for _, of in tallies)
    wrong = total - sum(right for right, _ in tallies)
    if not total:
        return "1.0000"
    high = clopper_pearson(wrong, total, _TWO_SIDED).high
    return f"{ceil(high * 10_000) / 10_000:.4f}"


_TWO_SIDED = 0.90
"""The level of the two-sided interval whose upper end is the one-sided limit at 95 %."""


def _age_problem(
    calibration: Bundle, moments: Sequence[tuple[datetime, str]], max_age_days: int
) -> str | None:
    """What is wrong with its age at each of these moments, of which the last is now."""
    taken = parse_timestamp(calibration.manifest.finished_at)
    if taken > moments[-1][0] + timedelta(minutes=5):
        return "the calibration lies in the future"
    limit = timedelta(days=max_age_days)
    for moment, what in moments:
        age = abs(moment - taken)
        if age > limit:
            days = age.days if age.days > max_age_days else f"more than {max_age_days}"
            return f"the calibration is {days} days old {what}; at most {max_age_days} count"
    return None
