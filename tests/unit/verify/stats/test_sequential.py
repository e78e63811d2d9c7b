"""Early verdicts: curtailment never changes one, and betting keeps its promise."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import comb, inf
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.stats import (
    curtailed_expected_n,
    evalue_sign_fixed,
    evalue_sign_mixture,
    required_count,
    threshold_decision,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("rate", "n", "required"),
    [
        ("0.3", 20, 6),
        ("0.07", 100, 7),
        ("0.50", 20, 10),
        ("0", 20, 0),
        ("1", 20, 20),
        ("0.31", 20, 7),
    ],
)
def test_a_rate_becomes_a_count_by_decimals(rate: str, n: int, required: int) -> None:
    """In floats 0.07 * 100 is above 7, and the ceiling says 8."""
    assert required_count(rate, n) == required
    assert required_count(Decimal(rate), n) == required
    assert required_count(Fraction(rate), n) == required


@pytest.mark.parametrize("rate", [0.3, "1.1", "-0.1", "much", None, float("nan"), Decimal("NaN")])
def test_a_rate_that_is_no_exact_share_is_refused(rate: Any) -> None:
    with pytest.raises(ValueError, match="rate: expected a decimal"):
        required_count(rate, 20)


@pytest.mark.parametrize(
    ("passes", "fails", "unknown", "required", "decision"),
    [
        (0, 20, 0, 1, "not-met"),
        (0, 19, 1, 1, "undecided"),
        (1, 0, 19, 1, "met"),
        (6, 0, 14, 6, "met"),
        (5, 14, 1, 6, "undecided"),
        (5, 15, 0, 6, "not-met"),
        (0, 15, 5, 6, "not-met"),
        (0, 0, 20, 0, "met"),
        (0, 0, 20, 21, "not-met"),
        (0, 1, 19, 20, "not-met"),
    ],
)
def test_a_verdict_is_certain_when_its_best_and_worst_completion_agree(
    passes: int, fails: int, unknown: int, required: int, decision: str
) -> None:
    assert threshold_decision(passes, fails, unknown, 20, required) == decision


@pytest.mark.parametrize("n", range(13))
def test_the_curtailed_verdict_is_the_full_one_for_every_outcome(n: int) -> None:
    """Up to order: of a prefix only its passes and fails matter, of a completion its passes."""
    for required in range(n + 2):
        for passes, fails in ((s, f) for s in range(n + 1) for f in range(n + 1 - s)):
            unknown = n - passes - fails
            full = {
                "met" if passes + more >= required else "not-met" for more in range(unknown + 1)
            }
            expected = full.pop() if len(full) == 1 else "undecided"
            assert threshold_decision(passes, fails, unknown, n, required) == expected


@pytest.mark.parametrize("required", range(9))
def test_a_run_that_stops_early_says_what_the_whole_run_says(required: int) -> None:
    for outcomes in product([True, False], repeat=8):
        stopped, run = stop(outcomes, required)
        assert stopped == ("met" if sum(outcomes) >= required else "not-met")
        assert run <= 8


def stop(outcomes: tuple[bool, ...], required: int) -> tuple[str, int]:
    """The verdict of a run that stops as soon as it is certain, and after how many trials."""
    n = len(outcomes)
    for run in range(n + 1):
        passes = sum(outcomes[:run])
        decision = threshold_decision(passes, run - passes, n - run, n, required)
        if decision != "undecided":
            return decision, run
    raise AssertionError(outcomes)


@pytest.mark.parametrize("counts", [(1, 1, 1, 4), (-1, 2, 3, 4), (1, 1, 2.5, 4.5)])
def test_counts_that_do_not_add_up_are_refused(counts: tuple[Any, Any, Any, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        threshold_decision(*counts, required=2)


def test_a_required_count_in_floats_is_refused() -> None:
    with pytest.raises(ValueError, match="required: expected a whole number"):
        threshold_decision(7, 0, 93, 100, 0.07 * 100)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("n", "required", "shares"),
    [
        (20, 1, (1.000, 0.910, 0.642, 0.439, 0.167)),
        (20, 6, (0.750, 0.758, 0.789, 0.831, 0.838)),
        (20, 10, (0.550, 0.556, 0.579, 0.611, 0.777)),
        (20, 17, (0.200, 0.202, 0.211, 0.222, 0.286)),
        (20, 20, (0.050, 0.051, 0.053, 0.056, 0.071)),
        (60, 1, (1.000, 0.755, 0.318, 0.166, 0.056)),
        (100, 1, (1.000, 0.634, 0.199, 0.100, 0.033)),
    ],
)
def test_the_expected_share_of_a_curtailed_bench(
    n: int, required: int, shares: tuple[float, ...]
) -> None:
    rates = (0, 0.01, 0.05, 0.1, 0.3)

    found = [curtailed_expected_n(n, required, p) / n for p in rates]

    assert found == pytest.approx(shares, abs=5.1e-4)


@given(st.integers(1, 8), st.integers(0, 9), st.floats(0, 1))
def test_the_expected_number_is_the_mean_over_all_runs(n: int, required: int, p: float) -> None:
    mean = 0.0
    for outcomes in product([True, False], repeat=n):
        passes = sum(outcomes)
        mean += p**passes * (1 - p) ** (n - passes) * stop(outcomes, required)[1]

    assert curtailed_expected_n(n, required, p) == pytest.approx(mean)


def test_waiting_for_one_pass_takes_geometrically_long() -> None:
    assert curtailed_expected_n(20, 1, 0.1) == pytest.approx((1 - 0.9**20) / 0.1, rel=1e-12)


@pytest.mark.parametrize(("n", "required", "p"), [(-1, 1, 0.5), (5, -1, 0.5), (5, 1, 1.5)])
def test_an_impossible_bench_is_refused(n: int, required: int, p: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        curtailed_expected_n(n, required, p)


def test_wins_in_a_row_until_twenty_to_one() -> None:
    """Six at the declared bet of 0.9, seven by the one-sided average, eight by the two-sided."""
    assert evalue_sign_fixed(5, 0, 0.9) == pytest.approx(18.89568)
    assert evalue_sign_fixed(6, 0, 0.9) == pytest.approx(34.012224)
    assert evalue_sign_mixture(6, 0) == pytest.approx(127 / 7)
    assert evalue_sign_mixture(7, 0) == 31.875
    assert evalue_sign_mixture(7, 0, "two-sided") == 16
    assert evalue_sign_mixture(8, 0, "two-sided") == pytest.approx(28.4444, abs=5e-5)


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 0), (5, 2), (0, 4), (12, 9)])
def test_the_mixture_is_the_mean_of_all_bets(wins: int, losses: int) -> None:
    from scipy.integrate import quad

    def bet(q: float) -> float:
        return float((2 * q) ** wins * (2 * (1 - q)) ** losses)

    assert evalue_sign_mixture(wins, losses) == pytest.approx(2 * quad(bet, 0.5, 1)[0])
    assert evalue_sign_mixture(losses, wins, "less") == evalue_sign_mixture(wins, losses)
    assert evalue_sign_mixture(wins, losses, "two-sided") == pytest.approx(quad(bet, 0, 1)[0])


EVALUES: dict[str, Callable[[int, int], float]] = {
    "fixed": evalue_sign_fixed,
    "timid": lambda w, x: evalue_sign_fixed(w, x, 0.6),
    "greater": evalue_sign_mixture,
    "less": lambda w, x: evalue_sign_mixture(w, x, "less"),
    "two-sided": lambda w, x: evalue_sign_mixture(w, x, "two-sided"),
}


@pytest.mark.parametrize("name", EVALUES)
@pytest.mark.parametrize("flips", range(13))
def test_without_a_difference_the_mean_evidence_stays_at_1(name: str, flips: int) -> None:
    mean = sum(comb(flips, w) * EVALUES[name](w, flips - w) / 2**flips for w in range(flips + 1))

    assert mean == pytest.approx(1)


@pytest.mark.parametrize("name", EVALUES)
def test_stopping_at_twenty_errs_in_at_most_5_percent_however_often_one_looks(name: str) -> None:
    """Every path of 12 fair flips, looked at after each."""
    rejected = 0
    for flips in product([0, 1], repeat=12):
        wins = [sum(flips[:n]) for n in range(13)]
        rejected += any(EVALUES[name](w, n - w) >= 20 for n, w in enumerate(wins))

    assert 0 <= rejected / 2**12 <= 0.05


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_next_flip_is_worth_what_it_costs(wins: int, losses: int) -> None:
    """A martingale: the mean of the two next values is the present one."""
    for evalue in EVALUES.values():
        here = evalue(wins, losses)
        mean = (evalue(wins + 1, losses) + evalue(wins, losses + 1)) / 2
        assert mean == pytest.approx(here)


def test_overwhelming_evidence_is_infinite_not_an_error() -> None:
    assert evalue_sign_fixed(1500, 0) == inf
    assert evalue_sign_mixture(1500, 0) == inf
    assert evalue_sign_fixed(0, 1500) == 0
    assert evalue_sign_fixed(3, 0, 1) == 8
    assert evalue_sign_fixed(30, 1, 1) == 0


@pytest.mark.parametrize(
    ("wins", "losses", "q"), [(-1, 0, 0.9), (0, 0.5, 0.9), (1, 1, 0.4), (1, 1, 1.1)]
)
def test_what_is_no_bet_is_refused(wins: int, losses: Any, q: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        evalue_sign_fixed(wins, losses, q)


def test_an_unknown_side_of_the_mixture_is_refused() -> None:
    with pytest.raises(ValueError, match="alternative"):
        evalue_sign_mixture(1, 1, "both")
