"""Intervals for one rate: printed limits, what defines them, and what is no rate."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from abverify.verify.stats import (
    Interval,
    clopper_pearson,
    inverse_binomial,
    jeffreys,
    newcombe_indep_diff,
    wilson,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RATES = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.floats(0.01, 0.9999)
ONE_RATE = [clopper_pearson, wilson, jeffreys]


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (0, 20, 0, 0.161125),
        (17, 20, 0.639581, 0.947631),
        # Newcombe, Statistics in Medicine 17 (1998) 857-872, Table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_prints_what_was_published(x: int, n: int, low: float, high: float) -> None:
    assert tuple(wilson(x, n)) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 857-872, Table I, method 5
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_clopper_pearson_prints_what_was_published(x: int, n: int, low: float, high: float) -> None:
    assert tuple(clopper_pearson(x, n)) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(("n", "one_sided"), [(20, 0.139), (60, 0.049), (100, 0.030)])
def test_a_bench_of_zeros_still_allows_a_rate(n: int, one_sided: float) -> None:
    """The one-sided 95 % limit is the upper limit at 90 %: 1 - 0.05^(1/n)."""
    limit = clopper_pearson(0, n, 0.90).high

    assert limit == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-12)
    assert limit == pytest.approx(one_sided, abs=5e-4)


@pytest.mark.parametrize(("n", "high"), [(20, 0.168), (60, 0.060), (100, 0.036)])
def test_nought_of_n_has_the_upper_limit_that_a_refutation_must_quote(n: int, high: float) -> None:
    assert clopper_pearson(0, n).high == pytest.approx(high, abs=5e-4)


@pytest.mark.parametrize("x", [1, 10, 19])
def test_jeffreys_leaves_half_of_the_rest_in_each_tail_of_its_posterior(x: int) -> None:
    from scipy.stats import beta

    interval = jeffreys(x, 20, 0.9)
    posterior = beta(x + 0.5, 20 - x + 0.5)

    assert posterior.cdf(interval.low) == pytest.approx(0.05)
    assert posterior.sf(interval.high) == pytest.approx(0.05)


@pytest.mark.parametrize("method", ["exact", "wilson"])
def test_scipy_agrees(method: Literal["exact", "wilson"]) -> None:
    from scipy.stats import binomtest

    ours = {"exact": clopper_pearson, "wilson": wilson}[method]
    for x in range(24):
        theirs = binomtest(x, 23).proportion_ci(0.9, method)
        assert tuple(ours(x, 23, 0.9)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(RATES, LEVELS)
def test_a_wilson_limit_is_where_the_score_test_stops_rejecting(
    rate: tuple[int, int], conf: float
) -> None:
    from statistics import NormalDist

    x, n = rate
    z = NormalDist().inv_cdf((1 + conf) / 2)
    for limit in wilson(x, n, conf):
        if 0 < limit < 1:
            score = abs(x / n - limit) / sqrt(limit * (1 - limit) / n)
            assert score == pytest.approx(z, rel=1e-6)


@pytest.mark.parametrize("interval", ONE_RATE)
@given(rate=RATES, conf=LEVELS)
def test_every_interval_lies_in_0_to_1_and_holds_the_estimate(
    interval: Callable[..., Interval], rate: tuple[int, int], conf: float
) -> None:
    # Jeffreys' interval lies about its posterior's median: a very short one misses x / n.
    assume(interval is not jeffreys or conf >= 0.5)
    found = interval(*rate, conf)

    assert 0 <= found.low <= found.estimate <= found.high <= 1


@pytest.mark.parametrize("interval", ONE_RATE)
@given(rate=RATES, conf=LEVELS)
def test_fails_mirror_passes(
    interval: Callable[..., Interval], rate: tuple[int, int], conf: float
) -> None:
    x, n = rate
    one, other = interval(x, n, conf), interval(n - x, n, conf)

    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


@pytest.mark.parametrize("interval", ONE_RATE)
def test_the_ends_are_exactly_0_and_1_and_the_error_is_never_0(
    interval: Callable[..., Interval],
) -> None:
    none, all_of_them = interval(0, 20), interval(20, 20)

    assert (none.low, all_of_them.high) == (0.0, 1.0)
    assert none.high > 0.1
    assert all_of_them.low < 0.9


@given(RATES)
def test_the_exact_interval_covers_at_least_what_it_says(rate: tuple[int, int]) -> None:
    """By definition: at its limits, each tail holds half of what is left."""
    from scipy.stats import binom

    x, n = rate
    low, high = clopper_pearson(x, n, 0.9)

    assert x == 0 or binom.sf(x - 1, n, low) == pytest.approx(0.05, rel=1e-6)
    assert x == n or binom.cdf(x, n, high) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("interval", ONE_RATE)
@pytest.mark.parametrize(
    ("x", "n", "conf"),
    [(0, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (0.5, 5, 0.95), (1, 5, 0.0), (1, 5, float("nan"))],
)
def test_what_is_no_rate_is_refused(
    interval: Callable[..., Interval], x: float, n: int, conf: float
) -> None:
    with pytest.raises(ValueError, match=f"x={x}, n={n}"):
        interval(x, n, conf)


def test_an_interval_unpacks_to_its_limits_and_says_its_level_and_estimate() -> None:
    interval = wilson(5, 10, 0.9)
    low, high = interval

    assert (low, high) == (interval.low, interval.high)
    assert (interval.conf, interval.estimate) == (0.9, 0.5)


def test_an_interval_is_a_pair() -> None:
    import numpy as np

    interval = wilson(5, 10)

    assert (len(interval), interval[0], interval[-1]) == (2, interval.low, interval.high)
    assert np.asarray(interval).tolist() == [interval.low, interval.high]
    assert interval == pytest.approx((0.2366, 0.7634), abs=5e-5)
    with pytest.raises(IndexError):
        interval[2]


@pytest.mark.parametrize("interval", ONE_RATE)
def test_a_level_may_be_of_any_numeric_type_and_is_given_back_as_a_float(
    interval: Callable[..., Interval],
) -> None:
    import numpy as np

    for level in (Decimal("0.9"), Fraction(9, 10), np.float64(0.9)):
        found = interval(3, 20, level)
        assert found == interval(3, 20, 0.9)
        assert {type(part) for part in (*found, found.conf)} == {float}


@pytest.mark.parametrize("conf", ["0.95", None, Decimal("NaN"), [0.95]])
def test_what_is_no_level_is_refused(conf: Any) -> None:
    said = "conf: expected a level between 0 and 1, found"
    with pytest.raises(ValueError, match=said):
        wilson(1, 2, conf)
    with pytest.raises(ValueError, match=said):
        inverse_binomial(1, 2, conf)
    with pytest.raises(ValueError, match=said):
        newcombe_indep_diff(1, 2, 1, 2, conf)


def test_a_first_pass_at_the_seventh_trial_allows_0_4_to_46_percent() -> None:
    interval = inverse_binomial(1, 7)

    assert tuple(interval) == pytest.approx((0.0036, 0.459), abs=5e-4)
    assert interval.low == pytest.approx(1 - 0.975 ** (1 / 7), rel=1e-12)


@given(st.integers(1, 30), st.integers(0, 60))
def test_inverse_binomial_limits_are_tails_of_the_trial_number(r: int, more: int) -> None:
    """T <= t says at least r passes in t trials; T >= t says fewer than r in t - 1."""
    from scipy.stats import binom

    t = r + more
    low, high = inverse_binomial(r, t, 0.9)

    assert binom.sf(r - 1, t, low) == pytest.approx(0.05, rel=1e-6)
    assert t == r or binom.cdf(r - 1, t - 1, high) == pytest.approx(0.05, rel=1e-6)
    assert t > r or high == 1


@pytest.mark.parametrize(("passes", "trials"), [(0, 5), (3, 2), (1, 0)])
def test_a_run_that_stopped_at_no_pass_is_refused(passes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="passes"):
        inverse_binomial(passes, trials)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 873-890, Table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_newcombe_prints_his_table(
    table: tuple[int, int, int, int], low: float, high: float
) -> None:
    assert tuple(newcombe_indep_diff(*table)) == pytest.approx((low, high), abs=5.1e-5)


@given(RATES, RATES, LEVELS)
def test_swapping_the_groups_mirrors_the_difference(
    one: tuple[int, int], two: tuple[int, int], conf: float
) -> None:
    here, there = newcombe_indep_diff(*one, *two, conf), newcombe_indep_diff(*two, *one, conf)

    assert tuple(here) == pytest.approx((-there.high, -there.low))
    assert -1 <= here.low <= here.estimate <= here.high <= 1


def test_a_second_group_without_trials_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="x2=0, n2=0"):
        newcombe_indep_diff(1, 2, 0, 0)
