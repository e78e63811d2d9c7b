"""What a design can find: the numbers that refuse a bench too small for its claim."""

from __future__ import annotations

from itertools import product
from math import comb
from typing import Any

import pytest

from abverify.verify.stats import (
    exact_power_control_zero,
    mcnemar_exact,
    min_discordant,
    stratified_exact_permutation,
    stratified_power_control_zero,
)


@pytest.mark.parametrize(
    ("q", "two_sided", "one_sided"),
    [
        (0.10, 0.011, 0.043),
        (0.15, 0.067, 0.170),
        (0.20, 0.196, 0.370),
        (0.30, 0.584, 0.762),
        (0.40, 0.874, 0.949),
        (0.50, 0.979, 0.994),
    ],
)
def test_twenty_fixtures_at_one_seed_find_large_effects_only(
    q: float, two_sided: float, one_sided: float
) -> None:
    assert exact_power_control_zero(20, q, 6) == pytest.approx(two_sided, abs=5.1e-4)
    assert exact_power_control_zero(20, q, 5) == pytest.approx(one_sided, abs=5.1e-4)


@pytest.mark.parametrize(
    ("n", "q", "power"), [(20, 0.1, 0.878), (20, 0.05, 0.642), (29, 0.1, 0.953)]
)
def test_seeing_one_pass_at_all(n: int, q: float, power: float) -> None:
    assert exact_power_control_zero(n, q, 1) == pytest.approx(power, abs=5.1e-4)
    assert exact_power_control_zero(n, q, 1) == pytest.approx(1 - (1 - q) ** n)


@pytest.mark.parametrize(
    ("q", "flips", "n80", "n90"),
    [
        (0.10, 6, 78, 91),
        (0.10, 5, 66, 78),
        (0.05, 6, 157, 184),
        (0.20, 6, 39, 45),
        (0.30, 5, 21, 25),
    ],
)
def test_fixtures_needed_for_80_and_90_percent(q: float, flips: int, n80: int, n90: int) -> None:
    for n, power in ((n80, 0.8), (n90, 0.9)):
        assert exact_power_control_zero(n, q, flips) >= power
        assert exact_power_control_zero(n - 1, q, flips) < power


def test_the_ends() -> None:
    assert exact_power_control_zero(20, 0, 1) == 0
    assert exact_power_control_zero(20, 1, 20) == 1
    assert exact_power_control_zero(20, 0.5, 0) == 1
    assert exact_power_control_zero(20, 0.5, 21) == 0


@pytest.mark.parametrize("alpha", ["0.05", "0.01", "0.1", "0.001"])
@pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
def test_one_flip_fewer_is_not_significant(alpha: str, side: str) -> None:
    least = min_discordant(alpha, side)

    def p(flips: int) -> float:
        return mcnemar_exact(0, flips, side) if side == "less" else mcnemar_exact(flips, 0, side)

    assert p(least) <= float(alpha) < p(least - 1)


def test_six_flips_are_needed_two_sided_and_five_one_sided() -> None:
    assert min_discordant() == 6
    assert min_discordant("0.05", "greater") == 5
    assert min_discordant("1") == 0


@pytest.mark.parametrize("n", [5, 20, 60])
@pytest.mark.parametrize("side", ["two-sided", "greater"])
def test_at_one_seed_the_stratified_power_is_mcnemars(n: int, side: str) -> None:
    expected = exact_power_control_zero(n, 0.3, min_discordant("0.05", side))

    assert stratified_power_control_zero(n, 1, 0.3, "0.05", side) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "k"), [(1, 4), (2, 3), (3, 2), (3, 3), (2, 5)])
@pytest.mark.parametrize("side", ["two-sided", "less"])
@pytest.mark.parametrize("alpha", ["0.05", "0.1"])
def test_the_stratified_power_is_the_share_of_benches_that_the_test_rejects(
    n: int, k: int, side: str, alpha: str
) -> None:
    from fractions import Fraction

    q, power = 0.6, 0.0
    for passes in product(range(k + 1), repeat=n):
        test = stratified_exact_permutation([(0, k, s, k) for s in passes], side)
        if test.exact <= Fraction(alpha):
            chance = 1.0
            for s in passes:
                chance *= comb(k, s) * q**s * (1 - q) ** (k - s)
            power += chance

    assert stratified_power_control_zero(n, k, q, alpha, side) == pytest.approx(power, abs=1e-12)


def test_five_seeds_find_what_one_seed_misses() -> None:
    """A tenth of 20 fixtures' trials pass: 0.011 at one seed; by simulation .941 at five."""
    assert stratified_power_control_zero(20, 1, 0.1) == pytest.approx(0.0113, abs=5e-5)
    assert stratified_power_control_zero(20, 5, 0.1) == pytest.approx(0.941, abs=0.005)
    assert stratified_power_control_zero(20, 5, 0.1, "0.05", "greater") == pytest.approx(
        0.975, abs=0.005
    )


@pytest.mark.parametrize("arguments", [(-1, 0.5, 1), (20, 1.5, 1), (20, 0.5, -1), (2.5, 0.5, 1)])
def test_an_impossible_design_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        exact_power_control_zero(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [(0, 1, 0.5), (1, 0, 0.5), (5, 5, 2.0), (5, 5, 0.5, 0.05), (5, 5, 0.5, "0"), (5, 5, 0.5, "2")],
)
def test_an_impossible_stratified_design_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        stratified_power_control_zero(*arguments)
