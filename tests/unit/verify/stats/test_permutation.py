"""Permutation tests: every arrangement counted, ties as ties."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.verify.stats import (
    fisher_exact,
    mcnemar_exact,
    sign_flip_permutation,
    stratified_exact_permutation,
)

SIDES = st.sampled_from(["two-sided", "greater", "less"])
RABBITS = [
    [[0, 6], [0, 5]],
    [[3, 3], [0, 6]],
    [[6, 0], [2, 4]],
    [[5, 1], [6, 0]],
    [[2, 0], [5, 0]],
]
"""Penicillin given at once or late, cured or died, at five doses (Agresti 1990, p. 231-237)."""
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Darwin's crossed minus self-fertilised maize, in eighths of an inch."""
SMALL = st.lists(
    st.integers(1, 3).flatmap(
        lambda k: st.tuples(st.integers(0, k), st.just(k), st.integers(0, k), st.just(k))
    ),
    min_size=1,
    max_size=3,
)


def test_the_rabbits_of_agresti() -> None:
    """The help page of R's mantelhaen.test prints 0.040, and 0.020 one-sided."""
    assert stratified_exact_permutation(RABBITS).p_value == pytest.approx(0.040, abs=5e-4)
    assert stratified_exact_permutation(RABBITS, "greater").p_value == pytest.approx(
        0.020, abs=5e-4
    )


@pytest.mark.parametrize(
    ("k", "p"),
    [(1, Fraction(1)), (3, Fraction(1, 10)), (4, Fraction(1, 35)), (5, Fraction(1, 126))],
)
def test_one_fixture_that_flips_entirely_is_significant_from_four_seeds_on(
    k: int, p: Fraction
) -> None:
    """2 / C(2k, k): 0.10 at three seeds, 0.0286 at four, 0.0079 at five."""
    assert stratified_exact_permutation([(k, k, 0, k)]).exact == p


def test_a_hopeless_fixture_adds_nothing_and_is_not_informative() -> None:
    alone = stratified_exact_permutation([(4, 4, 0, 4)])
    among = stratified_exact_permutation([(4, 4, 0, 4), (0, 4, 0, 4), (4, 4, 4, 4)])

    assert among.exact == alone.exact
    assert (alone.informative, among.informative) == (1, 1)


def test_no_informative_fixture_gives_1() -> None:
    found = stratified_exact_permutation([(0, 4, 0, 4)] * 20)

    assert (found.p_value, found.informative) == (1, 0)


def test_the_statistic_is_arm_as_passes_beside_their_mean() -> None:
    found = stratified_exact_permutation([(3, 4, 1, 4), (2, 2, 0, 4)])

    assert found.statistic == 5
    assert found.expected == Fraction(8, 3)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5), st.integers(0, 5), SIDES)
def test_one_seed_makes_it_mcnemars_exact_test(
    b: int, c: int, both: int, neither: int, side: str
) -> None:
    only_a, only_b = [(1, 1, 0, 1)] * b, [(0, 1, 1, 1)] * c
    rest = [(1, 1, 1, 1)] * both + [(0, 1, 0, 1)] * (neither + 1)

    found = stratified_exact_permutation(only_a + only_b + rest, side)

    assert found.p_value == mcnemar_exact(b, c, side)
    assert found.informative == b + c


@given(*[st.integers(0, 12)] * 4, SIDES)
def test_one_fixture_makes_it_fishers_exact_test(a: int, b: int, c: int, d: int, side: str) -> None:
    table = [[a + 1, b], [c, d + 1]]

    assert stratified_exact_permutation([table], side).p_value == fisher_exact(table, side).p_value


@settings(max_examples=40)
@given(SMALL, SIDES)
def test_every_way_of_dealing_the_passes_is_counted_once(
    strata: list[tuple[int, int, int, int]], side: str
) -> None:
    """By brute force over which trials of each fixture are called arm A's."""
    outcomes = [[1] * (a + b) + [0] * (m + n - a - b) for a, m, b, n in strata]
    deals = [
        [sum(trials[i] for i in arm) for arm in combinations(range(len(trials)), m)]
        for trials, (_, m, _, _) in zip(outcomes, strata, strict=True)
    ]
    totals = [sum(deal) for deal in product(*deals)]
    seen = sum(a for a, *_ in strata)
    extreme = {
        "greater": lambda t: t >= seen,
        "less": lambda t: t <= seen,
        "two-sided": lambda t: totals.count(t) <= totals.count(seen),
    }[side]

    expected = Fraction(sum(map(extreme, totals)), len(totals))

    assert stratified_exact_permutation(strata, side).exact == expected


@given(SMALL)
def test_swapping_the_arms_swaps_the_sides(strata: list[tuple[int, int, int, int]]) -> None:
    swapped = [(b, n, a, m) for a, m, b, n in strata]
    here, there = stratified_exact_permutation(strata), stratified_exact_permutation(swapped)

    assert here.exact == there.exact
    assert (
        stratified_exact_permutation(strata, "greater").exact
        == stratified_exact_permutation(swapped, "less").exact
    )


def test_strata_may_be_counts_tables_or_arrays() -> None:
    import numpy as np

    counts = [(3, 4, 1, 4), (2, 4, 0, 4)]
    tables = [[[3, 1], [1, 3]], [[2, 2], [0, 4]]]
    expected = stratified_exact_permutation(counts)

    assert stratified_exact_permutation(tables) == expected
    assert stratified_exact_permutation(np.array(counts)) == expected
    assert stratified_exact_permutation(np.array(tables)) == expected


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        ([], "at least one"),
        ([(1, 2, 3)], "stratum"),
        ([(5, 4, 0, 4)], "passes_a=5, n_a=4"),
        ([(1, 4, 0, 0)], "passes_b=0, n_b=0"),
        ([[[0, 0], [1, 1]]], "passes_a=0, n_a=0"),
    ],
)
def test_what_are_no_strata_is_refused(strata: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stratified_exact_permutation(strata)


def test_darwins_maize() -> None:
    """Fisher, The Design of Experiments (1935), section 21: 863 of 32768 in each tail."""
    found = sign_flip_permutation(MAIZE)

    assert found.exact == Fraction(1726, 32768)
    assert found.statistic == 314
    assert sign_flip_permutation(MAIZE, "greater").exact == Fraction(863, 32768)


def test_scipys_sign_flips_agree() -> None:
    import numpy as np
    from scipy.stats import permutation_test

    values = np.array([3, -1, 2, 2, 0, 5, -2, 4])
    theirs = permutation_test((values,), np.sum, permutation_type="samples", n_resamples=2**8)

    assert sign_flip_permutation(values).p_value == pytest.approx(theirs.pvalue)


@given(st.integers(0, 15), st.integers(0, 15), SIDES)
def test_differences_of_one_make_it_the_sign_test(b: int, c: int, side: str) -> None:
    found = sign_flip_permutation([1] * b + [-1] * c + [0], side)

    assert found.p_value == mcnemar_exact(b, c, side)
    assert found.informative == b + c


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=12))
def test_the_unit_of_the_differences_does_not_matter(values: list[int]) -> None:
    thirds = [Fraction(value, 3) for value in values]
    tenths = [f"{value / 10:.1f}" for value in values]

    assert sign_flip_permutation(thirds).exact == sign_flip_permutation(values).exact
    assert sign_flip_permutation(tenths).exact == sign_flip_permutation(values).exact


@pytest.mark.parametrize("values", [[], [0.1], ["x"], [None], ["1/0"]])
def test_differences_that_are_not_exact_are_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        sign_flip_permutation(values)
