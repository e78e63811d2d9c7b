"""Time until something happens, when some runs end before it does.

For turns until the call format is first lost: a run that ends with the format intact is censored.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import accumulate
from math import exp, isfinite, log, nan, sqrt
from operator import mul
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.verify.stats._arguments import level, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence


@frozen
class SurvivalCurve:
    """A Kaplan-Meier curve; entry i of each field but the last two belongs to `time[i]`.

    Attributes:
        time: the times at which events happened, ascending.
        at_risk: the subjects still under observation just before.
        events: the events at that time.
        survival: the estimated share without an event, after that time.
        std_error: Greenwood's standard error of that share; NaN where the share is 0.
        low: the lower limit on the log scale, R's default; NaN where the share is 0.
        high: the upper limit, at most 1; NaN where the share is 0.
        conf: the confidence level of the limits, at each time by itself.
        censored: the times at which subjects left without an event, ascending, each as
            often as it happened.
    """

    time: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    survival: tuple[float, ...]
    std_error: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    conf: float
    censored: tuple[float, ...]

    def at(self, time: float) -> float:
        """The estimated share without an event up to and including a time."""
        passed = [
            share for when, share in zip(self.time, self.survival, strict=True) if when <= time
        ]
        return passed[-1] if passed else 1.0


@frozen
class LogrankTest:
    """What the log-rank test says; entry i of the tuples belongs to `groups[i]`.

    Attributes:
        p_value: the asymptotic p value, from chi-squared.
        statistic: the chi-squared statistic.
        df: its degrees of freedom; 0 where nothing could tell the groups apart.
        groups: the groups' labels, in order of first appearance.
        observed: the events in each.
        expected: the events expected if all groups had the same hazard.
    """

    p_value: float
    statistic: float
    df: int
    groups: tuple[Hashable, ...]
    observed: tuple[int, ...]
    expected: tuple[float, ...]

    def __float__(self) -> float:
        return self.p_value


def kaplan_meier(
    time: Iterable[float], event: Iterable[float], conf: float = 0.95
) -> SurvivalCurve:
    """The Kaplan-Meier estimate of the share without an event over time.

    A subject censored at the time of an event still counts as at risk then.

    Args:
        time: how long each subject was observed, at least 0.
        event: for each, 1 or True where the event happened then, 0 or False where
            observation ended without it.
        conf: confidence level of the limits, between 0 and 1.

    Raises:
        ValueError: if there is no subject, the lengths differ, a time is negative or not finite,
            an event is neither 0 nor 1, or conf is not inside (0, 1).

    Source: Kaplan and Meier, JASA 53 (1958) 457-481; Greenwood (1926). R: `survfit`.
    """
    times, happened = _observations(time, event)
    sure = level(conf)
    z = normal_quantile(sure)
    deaths = _deaths(times, happened)
    risks = [sum(other >= when for other in times) for when, _ in deaths]
    steps = [(risk, events) for risk, (_, events) in zip(risks, deaths, strict=True)]
    shares = list(accumulate((Fraction(r - d, r) for r, d in steps), mul))
    spreads = accumulate(Fraction(d, r * (r - d)) if r > d else Fraction(0) for r, d in steps)
    limits = [
        _limits(share, sqrt(spread), z) for share, spread in zip(shares, spreads, strict=True)
    ]
    return SurvivalCurve(
        time=tuple(when for when, _ in deaths),
        at_risk=tuple(risks),
        events=tuple(events for _, events in deaths),
        survival=tuple(map(float, shares)),
        std_error=tuple(error for error, _, _ in limits),
        low=tuple(low for _, low, _ in limits),
        high=tuple(high for _, _, high in limits),
        conf=sure,
        censored=tuple(sorted(t for t, dead in zip(times, happened, strict=True) if not dead)),
    )


def logrank(
    time: Iterable[float], event: Iterable[float], group: Iterable[Hashable]
) -> LogrankTest:
    """The log-rank test that two or more groups have the same survival.

    Descriptive only when the same fixtures were run in each group: it takes all subjects for
    independent. Where no event could have fallen to another group than it did, as when all
    subjects have theirs at once, the data say nothing: p is 1 with 0 degrees of freedom.

    Args:
        time: how long each subject was observed, at least 0.
        event: for each, 1 or True where the event happened, 0 or False where not.
        group: for each, its group's label.

    Raises:
        ValueError: if the lengths differ, a time is negative or not finite, an event is neither
            0 nor 1, or there are fewer than two groups.

    Source: Mantel, Cancer Chemotherapy Reports 50 (1966) 163-170; Peto and Peto, JRSS A 135
        (1972) 185-207. R: `survdiff`.
    """
    labels = _labels(group)
    times, happened = _observations(time, event)
    if len(labels) != len(times):
        raise ValueError(f"group: expected {len(times)} labels, found {len(labels)}")
    groups = tuple(dict.fromkeys(labels))
    if len(groups) < 2:  # noqa: PLR2004 (a comparison)
        raise ValueError(f"group: expected at least two groups, found {groups!r}")
    member = [groups.index(label) for label in labels]
    observed = Counter(i for i, dead in zip(member, happened, strict=True) if dead)
    expected, covariance = _expected(times, happened, member, len(groups))
    excess = [observed[i] - events for i, events in enumerate(expected)]
    statistic, free = _quadratic(excess, covariance)
    return LogrankTest(
        p_value=_chi_squared(statistic, free),
        statistic=statistic,
        df=free,
        groups=groups,
        observed=tuple(observed[i] for i in range(len(groups))),
        expected=tuple(float(events) for events in expected),
    )


def _labels(group: Iterable[Hashable]) -> list[Hashable]:
    """The labels as plain values: arrays know how to unpack themselves."""
    unpack = getattr(group, "tolist", None)
    return list(unpack() if unpack else group)


def _observations(time: Iterable[float], event: Iterable[float]) -> tuple[list[float], list[bool]]:
    times, events = [float(t) for t in time], list(event)
    if not times or len(times) != len(events):
        raise ValueError(
            f"time and event: expected as many of each and at least one,"
            f" found {len(times)} and {len(events)}"
        )
    if any(not isfinite(t) or t < 0 for t in times):
        raise ValueError(f"time: expected finite numbers of at least 0, found {times!r}")
    if any(mark not in {0, 1} for mark in events):
        raise ValueError(f"event: expected 0 or 1 for each subject, found {events!r}")
    return times, [bool(mark) for mark in events]


def _deaths(times: Sequence[float], happened: Sequence[bool]) -> list[tuple[float, int]]:
    return sorted(Counter(t for t, dead in zip(times, happened, strict=True) if dead).items())


def _limits(share: Fraction, spread: float, z: float) -> tuple[float, float, float]:
    """Greenwood's standard error, and the limits on the log scale."""
    if share == 0:
        return nan, nan, nan
    middle = log(share)
    return float(share) * spread, exp(middle - z * spread), min(1.0, exp(middle + z * spread))


def _expected(
    times: Sequence[float], happened: Sequence[bool], member: Sequence[int], groups: int
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Expected events and their covariance: multivariate hypergeometric at each event time."""
    expected = [Fraction(0)] * groups
    covariance = [[Fraction(0)] * groups for _ in range(groups)]
    for when, deaths in _deaths(times, happened):
        here = Counter(i for i, t in zip(member, times, strict=True) if t >= when)
        risk = here.total()
        spare = Fraction(deaths * (risk - deaths), risk - 1) if risk > 1 else Fraction(0)
        for i in range(groups):
            share = Fraction(here[i], risk)
            expected[i] += deaths * share
            for j in range(groups):
                covariance[i][j] += spare * share * ((i == j) - Fraction(here[j], risk))
    return expected, covariance


def _quadratic(excess: Sequence[Fraction], covariance: list[list[Fraction]]) -> tuple[float, int]:
    """The excess squared in units of its covariance, and the rank of that, by exact elimination.

    The covariance is positive semi-definite. A pivot of 0 is a combination of groups that has no
    variance, hence no excess either: its row and column are 0 by then, and it is passed over.
    """
    rows = [[*row, value] for row, value in zip(covariance, excess, strict=True)]
    rows.append([*excess, Fraction(0)])
    rank = 0
    for i in range(len(excess)):
        if not rows[i][i]:
            continue
        rank += 1
        for row in rows[i + 1 :]:
            factor = row[i] / rows[i][i]
            row[:] = [one - factor * other for one, other in zip(row, rows[i], strict=True)]
    return float(-rows[-1][-1]), rank


def _chi_squared(statistic: float, df: int) -> float:
    """The upper tail; with 0 degrees of freedom all of it."""
    if df == 0:
        return 1.0
    from scipy.special import chdtrc

    return float(chdtrc(df, statistic))
