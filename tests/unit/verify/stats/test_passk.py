"""pass@k and pass^k: means over all draws of k trials."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.stats import pass_at_k, pass_hat_k

COUNTS = st.integers(1, 9).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))
)


@given(COUNTS)
def test_both_are_means_over_every_draw_of_k_trials(counts: tuple[int, int, int]) -> None:
    n, c, k = counts
    draws = list(combinations([True] * c + [False] * (n - c), k))

    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, draws)) / len(draws))


def test_one_draw_is_the_rate() -> None:
    assert pass_at_k(20, 3, 1) == pass_hat_k(20, 3, 1) == 0.15


@pytest.mark.parametrize(
    ("n", "c", "k", "at", "hat"),
    [(5, 2, 2, 0.7, 0.1), (10, 3, 5, 11 / 12, 0.0), (4, 4, 4, 1.0, 1.0), (4, 0, 4, 0.0, 0.0)],
)
def test_worked_by_hand(n: int, c: int, k: int, at: float, hat: float) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(at)
    assert pass_hat_k(n, c, k) == pytest.approx(hat)


def test_large_numbers_of_trials_stay_exact() -> None:
    assert pass_at_k(10**5, 1, 10**4) == 0.1
    assert pass_hat_k(2000, 1999, 1000) == 0.5


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 6), (5, 2, 0), (5, 6, 1), (0, 0, 1), (5, -1, 1)])
def test_fewer_trials_than_k_give_no_estimate(n: int, c: int, k: int) -> None:
    for estimate in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match="expected"):
            estimate(n, c, k)
