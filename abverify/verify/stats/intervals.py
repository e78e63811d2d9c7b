"""Confidence intervals for one proportion, and the interval that every function returns."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.verify.stats._arguments import level, normal_quantile, part
from abverify.verify.stats._beta import LARGEST, beta_quantile

if TYPE_CHECKING:
    from collections.abc import Iterator


@frozen
class Interval:
    """A confidence interval for a proportion or a difference.

    It is a pair as well: `low, high = interval`, `interval[1]`, `numpy.asarray(interval)`.

    Attributes:
        low: the lower limit, 0…1 for a proportion, -1…1 for a difference.
        high: the upper limit.
        conf: the confidence level, two-sided.
        estimate: the point estimate.
    """

    low: float
    high: float
    conf: float
    estimate: float

    def __iter__(self) -> Iterator[float]:
        yield self.low
        yield self.high

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> float:
        return (self.low, self.high)[index]


def clopper_pearson(x: int, n: int, conf: float = 0.95) -> Interval:
    """The exact interval for a binomial proportion: it covers at least `conf`, always.

    Limits are beta quantiles, low = B(a/2; x, n-x+1) and high = B(1-a/2; x+1, n-x) with
    a = 1 - conf; exactly 0 at x = 0 and exactly 1 at x = n. This is the interval that gates quote:
    0 of 20 still allows a rate of 16.8 %.

    Args:
        x: successes.
        n: trials, at least 1.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if not 0 <= x <= n, n < 1, or conf is not inside (0, 1).

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413. R: `binom.test`.
    """
    some, of, sure = _checked(x, n, conf)
    return Interval(*_beta_limits(some, of - some, (1, 0), sure), sure, some / of)


def wilson(x: int, n: int, conf: float = 0.95) -> Interval:
    """Wilson's score interval: close to `conf` on average, not guaranteed; for display.

    Inverts the score test without continuity correction, and lies within [0, 1]; exactly 0 at
    x = 0 and exactly 1 at x = n.

    Args:
        x: successes.
        n: trials, at least 1.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if not 0 <= x <= n, n < 1, or conf is not inside (0, 1).

    Source: Wilson, JASA 22 (1927) 209-212. R: `prop.test(correct = FALSE)`.
    """
    some, of, sure = _checked(x, n, conf)
    rate, z2 = some / of, normal_quantile(sure) ** 2
    middle = (some + z2 / 2) / (of + z2)
    reach = sqrt(z2) / (of + z2) * sqrt(of * rate * (1 - rate) + z2 / 4)
    low = 0.0 if some == 0 else middle - reach
    high = 1.0 if some == of else middle + reach
    return Interval(low, high, sure, rate)


def jeffreys(x: int, n: int, conf: float = 0.95) -> Interval:
    """The equal-tailed posterior interval under Jeffreys' prior, Beta(1/2, 1/2).

    Close to `conf` on average, not guaranteed. The lower limit is 0 at x = 0 and the upper is 1 at
    x = n, as its authors recommend.

    Args:
        x: successes.
        n: trials, at least 1.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if not 0 <= x <= n, n < 1, or conf is not inside (0, 1).

    Source: Brown, Cai and DasGupta, Statistical Science 16 (2001) 101-133.
    """
    some, of, sure = _checked(x, n, conf)
    return Interval(*_beta_limits(some, of - some, (0.5, 0.5), sure), sure, some / of)


def inverse_binomial(passes: int, trials: int, conf: float = 0.95) -> Interval:
    """The exact interval for a rate when the run stopped at the pass that made `passes`.

    Of a run stopped early, x/n is biased upwards, up to 3.4 times at a bench of 20; this interval
    knows how the run stopped. Limits: B(a/2; r, t-r+1) and B(1-a/2; r, t-r) for r passes
    at trial t. The estimate is that biased r/t (maximum likelihood): quote the limits, not it.

    Args:
        passes: the number of passes that was waited for, at least 1.
        trials: the trial in which the last of them came.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if not 1 <= passes <= trials, or conf is not inside (0, 1).

    Source: Lui, Statistics in Medicine 14 (1995) 1471-1477.
    """
    waited, run = part(passes, trials, ("passes", "trials"))
    if waited < 1:
        raise ValueError(f"passes: expected at least 1, found {passes}")
    sure = level(conf)
    limits = _beta_limits(waited, run - waited, (1, 0), sure, high_passes=waited)
    return Interval(*limits, sure, waited / run)


def _checked(x: int, n: int, conf: float) -> tuple[int, int, float]:
    some, of = part(x, n)
    try:
        return some, of, level(conf)
    except ValueError as error:
        raise ValueError(f"{error} (for x={x}, n={n})") from None


def _beta_limits(
    passes: int,
    fails: int,
    prior: tuple[float, float],
    conf: float,
    *,
    high_passes: float | None = None,
) -> tuple[float, float]:
    """Beta quantiles: `prior` is added to the fails at the low end, to the passes at the high."""
    more, less = prior
    out = (1 - conf) / 2
    upper = passes + more if high_passes is None else high_passes
    low = 0.0 if passes == 0 else _quantile(passes + less, fails + more, out)
    high = 1.0 if fails == 0 else 1 - _quantile(fails + less, upper, out)
    return low, high


def _quantile(a: float, b: float, below: float) -> float:
    if float(a).is_integer() and float(b).is_integer() and a + b <= LARGEST:
        return beta_quantile(int(a), int(b), below)
    from scipy.special import betaincinv

    return float(betaincinv(a, b, below))
