"""Independent arms: Fisher's and Boschloo's tests, and the orientation that scipy gets wrong."""

from __future__ import annotations

from math import comb, inf, isnan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.verify.stats import boschloo, fisher_exact

CELL = st.integers(0, 25)
GROUPS = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)
SIDES = ["two-sided", "greater", "less"]


def test_fishers_tea_and_the_convicted_twins() -> None:
    """Agresti, Categorical Data Analysis, and Fisher (1935), as in the help page of R's test."""
    tea = fisher_exact([[3, 1], [1, 3]], "greater")
    twins = fisher_exact([[2, 10], [15, 3]], "less")

    assert tea.p_value == pytest.approx(0.2429, abs=5e-5)
    assert tea.odds_ratio == pytest.approx(6.408309, rel=1e-5)
    assert tea.sample_odds_ratio == 9
    assert twins.p_value == pytest.approx(0.0004652, abs=5e-8)
    assert twins.odds_ratio == pytest.approx(0.04693661, rel=1e-4)


def test_limits_of_the_odds_ratio_are_those_that_r_prints() -> None:
    """The same help page; its root finder leaves R the third digit."""
    tea = fisher_exact([[3, 1], [1, 3]], "greater")
    twins = fisher_exact([[2, 10], [15, 3]], "less")
    both_sides = fisher_exact([[2, 10], [15, 3]])
    surer = fisher_exact([[2, 10], [15, 3]], conf=0.99)

    assert (tea.low, tea.high) == pytest.approx((0.3135693, inf), rel=5e-5)
    assert (twins.low, twins.high) == pytest.approx((0, 0.2849601), rel=5e-5)
    assert (both_sides.low, both_sides.high) == pytest.approx((0.00333, 0.36318), rel=5e-3)
    assert (surer.low, surer.high) == pytest.approx((0.00139, 0.57885), rel=2e-2)
    assert (surer.conf, surer.p_value) == (0.99, both_sides.p_value)


@given(CELL, CELL, CELL, CELL, st.sampled_from(SIDES))
@settings(max_examples=40)
def test_scipys_limits_of_the_odds_ratio_agree(a: int, b: int, c: int, d: int, side: Any) -> None:
    from scipy.stats.contingency import odds_ratio

    found = fisher_exact([[a, b], [c, d]], side, 0.9)
    if min(a + b, c + d, a + c, b + d) == 0:
        assert (found.low, found.high) == (0, inf)
    else:
        limits = odds_ratio([[a, b], [c, d]]).confidence_interval(0.9, side)
        assert (found.low, found.high) == pytest.approx((limits.low, limits.high), rel=1e-8)


def test_five_of_twenty_against_none_is_significant_by_fisher() -> None:
    assert fisher_exact([[0, 20], [5, 15]]).p_value == pytest.approx(0.0471240, abs=5e-8)


@pytest.mark.parametrize(
    ("table", "odds_ratio", "sample"),
    [([[0, 20], [5, 15]], 0.0, 0.0), ([[5, 15], [0, 20]], inf, inf)],
)
def test_an_empty_cell_puts_the_odds_ratio_at_an_end(
    table: list[list[int]], odds_ratio: float, sample: float
) -> None:
    found = fisher_exact(table)

    assert (found.odds_ratio, found.sample_odds_ratio) == (odds_ratio, sample)


def test_margins_that_allow_one_table_say_nothing() -> None:
    found = fisher_exact([[0, 20], [0, 20]])

    assert found.p_value == 1
    assert isnan(found.odds_ratio)
    assert isnan(found.sample_odds_ratio)


@given(CELL, CELL, CELL, CELL, st.sampled_from(SIDES))
def test_scipys_fisher_agrees(a: int, b: int, c: int, d: int, side: Any) -> None:
    import numpy as np
    from scipy import stats

    table = np.array([[a, b], [c, d]])
    theirs = stats.fisher_exact(table, side).pvalue

    assert fisher_exact(table, side).p_value == pytest.approx(theirs, rel=1e-6)


@settings(max_examples=30)
@given(*[st.integers(1, 25)] * 4)
def test_scipys_conditional_odds_ratio_agrees(a: int, b: int, c: int, d: int) -> None:
    from scipy.stats.contingency import odds_ratio

    ours = fisher_exact([[a, b], [c, d]]).odds_ratio

    assert ours == pytest.approx(odds_ratio([[a, b], [c, d]]).statistic, rel=1e-6)


@given(CELL, CELL, CELL, CELL)
def test_groups_may_stand_in_rows_or_columns_for_fisher(a: int, b: int, c: int, d: int) -> None:
    rows, columns = fisher_exact([[a, b], [c, d]]), fisher_exact([[a, c], [b, d]])

    assert rows.p_value == columns.p_value
    assert fisher_exact([[c, d], [a, b]]).p_value == rows.p_value


@pytest.mark.parametrize(
    ("arms", "side", "p"),
    [
        ((4, 20, 0, 20), "greater", 0.0304934),
        ((4, 20, 0, 20), "two-sided", 0.0609868),
        ((0, 20, 4, 20), "less", 0.0304934),
        ((74, 117, 31, 63), "greater", 0.0355641),  # the example of scipy's boschloo_exact
    ],
)
def test_boschloo_prints_what_was_published(
    arms: tuple[int, int, int, int], side: str, p: float
) -> None:
    assert boschloo(*arms, side).p_value == pytest.approx(p, abs=6e-8)


def test_boschloo_takes_the_arms_as_groups_where_scipy_takes_columns() -> None:
    """With arms in the rows scipy says .0450 of 4/20 against 0/20: significant, and wrong."""
    from scipy.stats import boschloo_exact

    ours = boschloo(4, 20, 0, 20).p_value

    assert ours > 0.05
    assert boschloo_exact([[4, 16], [0, 20]]).pvalue < 0.05
    assert boschloo_exact([[4, 0], [16, 20]]).pvalue == pytest.approx(ours, rel=1e-6)


def test_boschloo_says_by_what_it_ordered_and_where_it_peaked() -> None:
    found = boschloo(4, 20, 0, 20, "greater")

    assert found.statistic == fisher_exact([[4, 16], [0, 20]], "greater").p_value
    assert found.alternative == "greater"
    assert chance(region(4, 20, 0, 20), 40, found.nuisance) == pytest.approx(found.p_value)


def region(x1: int, n1: int, x2: int, n2: int) -> list[tuple[int, int]]:
    """By brute force: the ways to, and the passes of, each outcome with no larger Fisher p."""

    def fisher(i: int, j: int) -> float:
        return fisher_exact([[i, n1 - i], [j, n2 - j]], "greater").p_value

    seen = fisher(x1, x2)
    return [
        (comb(n1, i) * comb(n2, j), i + j)
        for i in range(n1 + 1)
        for j in range(n2 + 1)
        if fisher(i, j) <= seen
    ]


def chance(outcomes: list[tuple[int, int]], n: int, rate: float) -> float:
    return sum(ways * rate**s * (1 - rate) ** (n - s) for ways, s in outcomes)


@settings(max_examples=12, deadline=None)
@given(GROUPS)
def test_no_common_rate_gives_more_than_boschloos_p(arms: tuple[int, int, int, int]) -> None:
    p = boschloo(*arms, "greater").p_value
    extreme, n = region(*arms), arms[1] + arms[3]
    highest = max(chance(extreme, n, rate / 200) for rate in range(1, 200))

    assert highest <= p * (1 + 1e-9)
    assert highest == pytest.approx(p, rel=0.01)


@settings(deadline=None)
@given(GROUPS)
def test_boschloo_never_says_less_than_fisher(arms: tuple[int, int, int, int]) -> None:
    x1, n1, x2, n2 = arms
    ours = boschloo(*arms, "greater").p_value

    assert ours <= fisher_exact([[x1, n1 - x1], [x2, n2 - x2]], "greater").p_value + 1e-12


@settings(deadline=None)
@given(GROUPS)
def test_swapping_the_groups_swaps_boschloos_sides(arms: tuple[int, int, int, int]) -> None:
    x1, n1, x2, n2 = arms
    less, greater = boschloo(*arms, "less").p_value, boschloo(*arms, "greater").p_value

    assert boschloo(x2, n2, x1, n1, "greater").p_value == less
    assert boschloo(*arms).p_value == min(1.0, 2 * min(less, greater))


def test_equal_arms_say_nothing() -> None:
    assert boschloo(5, 10, 5, 10).p_value == pytest.approx(0.9449272, abs=5e-8)
    assert boschloo(0, 20, 0, 20).p_value == 1


@pytest.mark.parametrize("arms", [(3, 2, 0, 5), (0, 0, 1, 5), (1, 5, -1, 5), (1, 5, 0, 0)])
def test_impossible_arms_are_refused(arms: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        boschloo(*arms)


def test_an_unknown_side_is_refused() -> None:
    with pytest.raises(ValueError, match="alternative"):
        boschloo(1, 2, 1, 2, "up")
    with pytest.raises(ValueError, match="alternative"):
        fisher_exact([[1, 2], [3, 4]], "up")
