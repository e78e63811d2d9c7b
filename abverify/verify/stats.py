"""Exact statistics for small benches. Plain numbers in, frozen values out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval for a proportion.

    Attributes:
        low: the lower limit, 0…1.
        high: the upper limit, 0…1.
        conf: the confidence level.
    """

    low: float
    high: float
    conf: float


def clopper_pearson(x: int, n: int, conf: float = 0.95) -> Interval:
    """The exact interval for a binomial proportion: it covers at least `conf`, always.

    Limits are beta quantiles, low = B(a/2; x, n-x+1) and high = B(1-a/2; x+1, n-x)
    with a = 1 - conf; exactly 0 at x = 0 and exactly 1 at x = n.

    Args:
        x: successes.
        n: trials, at least 1.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if not 0 <= x <= n, n < 1, or conf is not inside (0, 1).

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413.
    """
    if n < 1 or not 0 <= x <= n or not 0 < conf < 1:
        raise ValueError(f"no proportion: x={x}, n={n}, conf={conf}")
    from scipy.special import betaincinv

    tail = (1 - conf) / 2
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return Interval(low, high, conf)
