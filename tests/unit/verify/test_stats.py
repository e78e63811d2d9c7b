from __future__ import annotations

import pytest

from abverify.verify.stats import clopper_pearson


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (0, 20, 0.0, 0.168433),
        (17, 20, 0.621073, 0.967929),
        (20, 20, 0.831567, 1.0),
        (1, 20, 0.001265, 0.248733),
        (0, 1, 0.0, 0.975),
        (1, 1, 0.025, 1.0),
        (5, 10, 0.187086, 0.812914),
    ],
)
def test_exact_limits_are_the_published_ones(x: int, n: int, low: float, high: float) -> None:
    interval = clopper_pearson(x, n)

    assert interval.low == pytest.approx(low, abs=5e-7)
    assert interval.high == pytest.approx(high, abs=5e-7)
    assert interval.conf == 0.95


@pytest.mark.parametrize("conf", [0.8, 0.9, 0.95, 0.99])
def test_the_limits_are_where_the_tails_hold_half_of_what_is_left(conf: float) -> None:
    """By definition: P(X >= x | low) = P(X <= x | high) = (1 - conf) / 2."""
    from scipy.stats import binom

    interval = clopper_pearson(7, 12, conf)

    assert 1 - binom.cdf(6, 12, interval.low) == pytest.approx((1 - conf) / 2)
    assert binom.cdf(7, 12, interval.high) == pytest.approx((1 - conf) / 2)


def test_failures_mirror_successes() -> None:
    one, other = clopper_pearson(3, 11), clopper_pearson(8, 11)

    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))


@pytest.mark.parametrize(
    ("x", "n", "conf"), [(0, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 0.0), (1, 5, 1.0)]
)
def test_what_is_no_proportion_is_refused(x: int, n: int, conf: float) -> None:
    with pytest.raises(ValueError, match=f"x={x}, n={n}"):
        clopper_pearson(x, n, conf)
