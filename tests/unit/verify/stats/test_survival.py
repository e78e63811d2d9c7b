"""Kaplan-Meier and log-rank: the textbook data, and what reduces to counting."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.stats import kaplan_meier, logrank

SIX_MP = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
SIX_MP_EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
"""Weeks of remission in leukaemia: Freireich et al., Blood 21 (1963) 699-716."""
MAINTAINED = [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161]
MAINTAINED_EVENT = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]
OTHERS = [5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45]
OTHERS_EVENT = [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
"""Acute myelogenous leukaemia, Miller (1981); `aml` in R's survival package."""
TIMES = st.lists(st.integers(0, 9), min_size=1, max_size=20)


def test_remission_under_six_mercaptopurine() -> None:
    curve = kaplan_meier(SIX_MP, SIX_MP_EVENT)

    assert curve.time == (6, 7, 10, 13, 16, 22, 23)
    assert curve.at_risk == (21, 17, 15, 12, 11, 7, 6)
    assert curve.events == (3, 1, 1, 1, 1, 1, 1)
    assert curve.survival == pytest.approx(
        (0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448), abs=5e-4
    )
    assert curve.censored == (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)


def test_the_errors_and_limits_that_r_prints() -> None:
    """R: summary(survfit(Surv(time, status) ~ x, data = aml)), the maintained group."""
    curve = kaplan_meier(MAINTAINED, MAINTAINED_EVENT)

    assert curve.time == (9, 13, 18, 23, 31, 34, 48)
    assert curve.survival == pytest.approx(
        (0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184), abs=5.1e-4
    )
    assert curve.std_error == pytest.approx(
        (0.0867, 0.1163, 0.1397, 0.1526, 0.1642, 0.1627, 0.1535), abs=5.1e-5
    )
    assert curve.low == pytest.approx(
        (0.7541, 0.6192, 0.4884, 0.3769, 0.2549, 0.1549, 0.0359), abs=5.1e-5
    )
    assert curve.high == pytest.approx((1, 1, 1, 0.999, 0.946, 0.875, 0.944), abs=5.1e-4)


def test_the_log_rank_tests_that_r_prints() -> None:
    remission = logrank(SIX_MP + PLACEBO, SIX_MP_EVENT + [1] * 21, ["6-MP"] * 21 + ["placebo"] * 21)
    aml = logrank(MAINTAINED + OTHERS, MAINTAINED_EVENT + OTHERS_EVENT, ["yes"] * 11 + ["no"] * 12)

    assert remission.statistic == pytest.approx(16.79, abs=5e-3)
    assert remission.p_value == pytest.approx(4.17e-5, abs=5e-8)
    assert remission.groups == ("6-MP", "placebo")
    assert remission.observed == (9, 21)
    assert remission.expected == pytest.approx((19.25, 10.75), abs=5e-3)
    assert aml.statistic == pytest.approx(3.4, abs=5e-2)
    assert aml.p_value == pytest.approx(0.07, abs=5e-3)
    assert aml.observed == (7, 11)
    assert aml.expected == pytest.approx((10.69, 7.31), abs=5e-3)
    assert aml.df == 1


@given(TIMES)
def test_without_censoring_the_curve_is_the_share_that_is_left(times: list[int]) -> None:
    curve = kaplan_meier(times, [True] * len(times))

    for when in range(11):
        left = sum(time > when for time in times) / len(times)
        assert curve.at(when) == pytest.approx(left)


@given(TIMES, st.data())
def test_scipys_empirical_survival_agrees(times: list[int], data: st.DataObject) -> None:
    from scipy.stats import CensoredData, ecdf

    events = data.draw(st.lists(st.booleans(), min_size=len(times), max_size=len(times)))
    known = [t for t, e in zip(times, events, strict=True) if e]
    right = [t for t, e in zip(times, events, strict=True) if not e]
    theirs = ecdf(CensoredData(uncensored=known, right=right)).sf
    curve = kaplan_meier(times, events)

    for when in range(11):
        assert curve.at(when) == pytest.approx(float(theirs.evaluate([when])[0]))


def test_nobody_left_has_no_error_to_print() -> None:
    curve = kaplan_meier([1, 2], [1, 1])

    assert curve.survival == (0.5, 0.0)
    assert isnan(curve.std_error[1])
    assert isnan(curve.low[1])
    assert isnan(curve.high[1])


def test_no_event_leaves_a_flat_curve() -> None:
    curve = kaplan_meier([3, 4], [0, 0])

    assert (curve.time, curve.survival, curve.censored) == ((), (), (3, 4))
    assert curve.at(100) == 1


def test_before_the_first_event_everyone_survives() -> None:
    curve = kaplan_meier([5, 9], [1, 0])

    assert (curve.at(4.9), curve.at(5), curve.at(50)) == (1, 0.5, 0.5)


def test_scipys_log_rank_agrees_on_two_groups() -> None:
    from scipy.stats import CensoredData
    from scipy.stats import logrank as theirs

    def split(times: list[int], events: list[int]) -> CensoredData:
        pairs = list(zip(times, events, strict=True))
        return CensoredData(
            uncensored=[t for t, e in pairs if e], right=[t for t, e in pairs if not e]
        )

    result = theirs(split(MAINTAINED, MAINTAINED_EVENT), split(OTHERS, OTHERS_EVENT))
    ours = logrank(MAINTAINED + OTHERS, MAINTAINED_EVENT + OTHERS_EVENT, [0] * 11 + [1] * 12)

    assert ours.p_value == pytest.approx(result.pvalue, rel=1e-9)
    assert ours.statistic == pytest.approx(result.statistic**2, rel=1e-9)


def test_three_groups_have_two_degrees_of_freedom_and_no_preferred_order() -> None:
    times, events = [3, 5, 7, 2, 4, 9, 1, 6, 8], [1, 1, 0, 1, 1, 1, 1, 0, 1]
    one = logrank(times, events, list("aaabbbccc"))
    other = logrank(times[::-1], events[::-1], list("cccbbbaaa"))

    assert one.df == 2
    assert one.statistic == pytest.approx(other.statistic, rel=1e-12)
    assert sum(one.expected) == pytest.approx(sum(one.observed))


def test_identical_groups_do_not_differ() -> None:
    test = logrank([1, 2, 3, 1, 2, 3], [1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1])

    assert (test.statistic, test.p_value) == (0, 1)


@pytest.mark.parametrize(
    ("time", "event", "group"),
    [
        ([1, 2], [0, 0], "ab"),  # nobody had the event
        ([3, 3, 3, 3], [1, 1, 1, 1], "aabb"),  # everybody had it at once
        ([1, 3, 4], [0, 1, 1], "abb"),  # one group left before the first
        ([4, 5, 0, 5], [0, 1, 0, 0], "caba"),  # R: survdiff prints chisq 0, p 1
    ],
)
def test_groups_that_no_event_could_tell_apart_do_not_count(
    time: list[int], event: list[int], group: str
) -> None:
    test = logrank(time, event, group)

    assert (test.df, test.statistic, test.p_value) == (0, 0, 1)
    assert sum(test.expected) == pytest.approx(sum(event))


def test_a_group_without_exposure_changes_nothing() -> None:
    """R prints chisq 0.0588, p 0.808 on one degree of freedom."""
    test = logrank([1, 2, 3, 3, 4], [0, 1, 1, 1, 0], "abccb")

    assert (test.statistic, test.p_value) == pytest.approx((0.05882353, 0.80836516), abs=5e-9)
    assert test == replace(
        logrank([2, 3, 3, 4], [1, 1, 1, 0], "bccb"),
        groups=("a", "b", "c"),
        observed=(0, 1, 2),
        expected=(0.0, *logrank([2, 3, 3, 4], [1, 1, 1, 0], "bccb").expected),
    )


def test_arrays_are_read_like_lists() -> None:
    import numpy as np

    groups = ["yes"] * 11 + ["no"] * 12
    times, events = MAINTAINED + OTHERS, MAINTAINED_EVENT + OTHERS_EVENT

    assert logrank(np.array(times), np.array(events), np.array(groups)) == logrank(
        times, events, groups
    )
    assert kaplan_meier(np.array(times), np.array(events) == 1) == kaplan_meier(times, events)


@pytest.mark.parametrize(
    ("time", "event"),
    [
        ([], []),
        ([1], [1, 0]),
        ([-1], [1]),
        ([float("nan")], [1]),
        ([1], [2]),
        ([float("inf")], [0]),
    ],
)
def test_what_are_no_observations_is_refused(time: Any, event: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        kaplan_meier(time, event)


@pytest.mark.parametrize(
    ("time", "event", "group"),
    [
        ([1, 2], [1, 1], ["a"]),
        ([1, 2], [1, 1], ["a", "a"]),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(time: Any, event: Any, group: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        logrank(time, event, group)
