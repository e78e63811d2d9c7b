"""Paired arms: printed p values and limits, and the symmetries that define them."""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from abverify.verify.stats import (
    Interval,
    mcnemar_exact,
    mcnemar_midp,
    newcombe_paired_diff,
    tango_paired_diff,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Table = list[list[int]]
COUNTS = st.integers(0, 60)
TABLES = st.tuples(COUNTS, COUNTS, COUNTS, COUNTS).filter(any)
PAIRED = [newcombe_paired_diff, tango_paired_diff]
CAVO: Table = [[59, 6], [16, 80]]
"""Cavo et al. (2012), and below Bentur et al. (2009): the examples of Fagerland et al. (2014)."""
BENTUR: Table = [[1, 1], [7, 12]]


@pytest.mark.parametrize(
    ("b", "c", "exact", "midp"),
    [
        (1, 7, 0.0703125, 0.0390625),  # Bentur
        (6, 16, 0.0524788, 0.0346897),  # Cavo
        (0, 5, 0.0625, 0.03125),
        (0, 6, 0.03125, 0.015625),
        (0, 17, 1.52588e-5, 7.62939e-6),
        (5, 5, 1.0, 0.876953),
        (1, 0, 1.0, 0.5),
    ],
)
def test_mcnemar_prints_what_was_published(b: int, c: int, exact: float, midp: float) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(exact, rel=2e-6)
    assert mcnemar_midp(b, c) == pytest.approx(midp, rel=2e-6)


def test_no_discordant_pair_says_nothing() -> None:
    assert mcnemar_exact(0, 0) == 1
    assert mcnemar_midp(0, 0) == 1
    assert mcnemar_exact(0, 0, "greater") == 1


def test_one_pair_can_never_confirm() -> None:
    assert mcnemar_exact(0, 1) == 1


@given(COUNTS, COUNTS, st.sampled_from(["two-sided", "greater", "less"]))
def test_the_exact_test_is_scipys_binomial_test(b: int, c: int, side: Any) -> None:
    from scipy.stats import binomtest

    assume(b + c > 0)

    assert mcnemar_exact(b, c, side) == pytest.approx(
        binomtest(b, b + c, alternative=side).pvalue, rel=1e-9
    )


@given(COUNTS, COUNTS)
def test_swapping_the_arms_swaps_the_sides(b: int, c: int) -> None:
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)
    assert mcnemar_midp(b, c) == mcnemar_midp(c, b)
    assert mcnemar_exact(b, c, "greater") == mcnemar_exact(c, b, "less")


@given(COUNTS, COUNTS)
def test_the_midp_takes_off_half_of_what_was_as_probable(b: int, c: int) -> None:
    assume(b + c > 0)
    seen = comb(b + c, b) / 2 ** (b + c)
    equal = seen if b == c else 2 * seen

    assert mcnemar_midp(b, c) == pytest.approx(mcnemar_exact(b, c) - equal / 2, rel=1e-9)


@pytest.mark.parametrize("level", [0.05, 0.1])
@pytest.mark.parametrize("pairs", range(1, 25))
def test_the_exact_test_keeps_its_level(pairs: int, level: float) -> None:
    rejected = sum(comb(pairs, b) for b in range(pairs + 1) if mcnemar_exact(b, pairs - b) <= level)

    assert rejected / 2**pairs <= level


@pytest.mark.parametrize(
    ("table", "newcombe", "tango"),
    [
        (CAVO, (-0.118621, -0.004625), (-0.124023, -0.005433)),
        (BENTUR, (-0.506920, -0.025559), (-0.517232, -0.026003)),
        ([[0, 17], [0, 3]], (0.584977, 0.947631), (0.551918, 0.947631)),
        ([[0, 2], [0, 18]], (-0.076535, 0.301034), (-0.077238, 0.301034)),
        ([[0, 0], [0, 20]], (-0.161125, 0.161125), (-0.161125, 0.161125)),
    ],
)
def test_paired_limits_are_the_published_ones(
    table: Table, newcombe: tuple[float, float], tango: tuple[float, float]
) -> None:
    assert tuple(newcombe_paired_diff(table)) == pytest.approx(newcombe, abs=6e-7)
    assert tuple(tango_paired_diff(table)) == pytest.approx(tango, abs=6e-7)


def test_newcombes_own_example() -> None:
    """Statistics in Medicine 17 (1998) 2635-2650, Table III: 36, 12, 2, 0 by method 10."""
    low, high = newcombe_paired_diff([[36, 12], [2, 0]])

    assert (low, high) == pytest.approx((0.0569, 0.3404), abs=5.1e-5)


def test_tangos_own_example() -> None:
    """Statistics in Medicine 17 (1998): 44 crossover subjects, one discordant."""
    low, high = tango_paired_diff([[43, 0], [1, 0]])

    assert (low, high) == pytest.approx((-0.118, 0.059), abs=6e-4)


@given(TABLES, st.floats(0.5, 0.999))
def test_a_tango_limit_is_where_the_score_test_stops_rejecting(
    counts: tuple[int, int, int, int], conf: float
) -> None:
    a, b, c, d = counts
    n, z = sum(counts), NormalDist().inv_cdf((1 + conf) / 2)

    for limit in tango_paired_diff([[a, b], [c, d]], conf):
        if abs(limit) < 1:
            p = constrained(b, c, n, limit)
            spread = sqrt(n * (2 * p + limit - limit**2))
            assert abs(b - c - n * limit) == pytest.approx(z * spread, rel=1e-5)


def constrained(b: int, c: int, n: int, difference: float) -> float:
    """The likelihood's maximum over P(only B), found by halving where its slope changes sign."""
    low, high = max(0.0, -difference), (1 - difference) / 2
    for _ in range(200):
        p = (low + high) / 2
        slope = 0.0
        slope += c / p if c else 0
        slope += b / (p + difference) if b else 0
        slope -= 2 * (n - b - c) / (1 - 2 * p - difference) if n > b + c else 0
        low, high = (p, high) if slope > 0 else (low, p)
    return (low + high) / 2


@pytest.mark.parametrize("interval", PAIRED)
@given(counts=TABLES, conf=st.floats(0.5, 0.999))
def test_swapping_the_arms_mirrors_the_interval(
    interval: Callable[..., Interval], counts: tuple[int, int, int, int], conf: float
) -> None:
    a, b, c, d = counts
    one, other = interval([[a, b], [c, d]], conf), interval([[a, c], [b, d]], conf)

    assert tuple(one) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert one.estimate == -other.estimate == (b - c) / sum(counts)


@pytest.mark.parametrize("interval", PAIRED)
@given(counts=TABLES, conf=st.floats(0.5, 0.999))
def test_paired_limits_lie_in_minus_1_to_1_and_hold_the_estimate(
    interval: Callable[..., Interval], counts: tuple[int, int, int, int], conf: float
) -> None:
    a, b, c, d = counts
    found = interval([[a, b], [c, d]], conf)

    assert -1 <= found.low <= found.estimate <= found.high <= 1


@given(TABLES, st.integers(0, 30))
def test_tango_depends_on_the_discordant_pairs_and_the_number_of_pairs(
    counts: tuple[int, int, int, int], moved: int
) -> None:
    a, b, c, d = counts
    moved = min(moved, a)

    assert tango_paired_diff([[a, b], [c, d]]) == tango_paired_diff(
        [[a - moved, b], [c, d + moved]]
    )


@pytest.mark.parametrize(("pairs", "refutes"), [(20, False), (24, False), (25, True)])
def test_two_zero_arms_refute_ten_percent_from_25_pairs_on(pairs: int, refutes: bool) -> None:  # noqa: FBT001
    """The upper limit of the 90 % interval at all zeros is z²/(n + z²)."""
    upper = newcombe_paired_diff([[0, 0], [0, pairs]], 0.90).high

    assert (upper < 0.10) is refutes


@pytest.mark.parametrize("interval", PAIRED)
def test_tables_may_be_lists_tuples_or_arrays(interval: Callable[..., Interval]) -> None:
    import numpy as np

    expected = interval(CAVO)

    assert interval(((59, 6), (16, 80))) == expected
    assert interval(np.array(CAVO)) == expected
    assert interval(np.array(CAVO, dtype=float)) == expected


@pytest.mark.parametrize("interval", PAIRED)
@pytest.mark.parametrize(
    "table",
    [
        [[0, 0], [0, 0]],
        [[1, 2, 3], [4, 5, 6]],
        [[1, 2]],
        [1, 2, 3, 4],
        [[1, -2], [3, 4]],
        [[1, 2.5], [3, 4]],
        [[1, float("nan")], [3, 4]],
    ],
)
def test_what_is_no_paired_table_is_refused(interval: Callable[..., Interval], table: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        interval(table)


@pytest.mark.parametrize(("b", "c"), [(-1, 2), (1, 0.5), ("1", 2), (float("inf"), 1)])
def test_what_is_no_count_of_pairs_is_refused(b: Any, c: Any) -> None:
    for test in (mcnemar_exact, mcnemar_midp):
        with pytest.raises(ValueError, match="whole number"):
            test(b, c)


def test_an_unknown_side_is_refused_and_rs_spelling_read() -> None:
    assert mcnemar_exact(1, 7, "two.sided") == mcnemar_exact(1, 7)
    with pytest.raises(ValueError, match="'two-sided', 'greater' or 'less', found 'both'"):
        mcnemar_exact(1, 7, "both")
