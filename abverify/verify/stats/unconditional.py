"""Boschloo's test: two independent arms, exact without fixing the number of passes.

Own code, because scipy's function takes the groups from the columns: with arms in the rows it
answers another question and calls 4/20 against 0/20 significant.
"""

from __future__ import annotations

from math import asin, ceil, comb, exp, log, pi, sin, sqrt
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.verify.stats._arguments import Alternative, part, sided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NEAR = 0.98
"""Peaks of the grid at least this share of the best are refined; the grid errs by far less."""


@frozen
class BoschlooTest:
    """What Boschloo's test says of two independent arms.

    Attributes:
        p_value: the exact unconditional p value.
        statistic: the one-sided Fisher p value by which outcomes were ordered; two-sided: of the
            side that decided.
        nuisance: the common rate at which the p value is reached.
        alternative: `two-sided`, `greater` or `less`.
    """

    p_value: float
    statistic: float
    nuisance: float
    alternative: Alternative

    def __float__(self) -> float:
        return self.p_value


def boschloo(x1: int, n1: int, x2: int, n2: int, alternative: str = "two-sided") -> BoschlooTest:
    """Boschloo's exact unconditional test of two independent rates.

    Orders all outcomes by Fisher's one-sided p value, in integers, and takes the largest
    probability, over the common rate, of an outcome at least as extreme as the one seen. Never
    less powerful than Fisher's test. Two-sided doubles the smaller one-sided p value.

    Args:
        x1: successes of the first group.
        n1: its trials, at least 1.
        x2: successes of the second group.
        n2: its trials, at least 1.
        alternative: `two-sided`; `greater`: group 1 has the higher rate; `less`: group 2 has.

    Raises:
        ValueError: if not 0 <= x <= n and n >= 1 in both groups, or the alternative is unknown.

    Source: Boschloo, Statistica Neerlandica 24 (1970) 1-35.
    """
    side = sided(alternative)
    one, two = part(x1, n1, ("x1", "n1")), part(x2, n2, ("x2", "n2"))
    greater = _one_sided(*one, *two) if side != "less" else None
    less = _one_sided(*two, *one) if side != "greater" else None
    p, statistic, rate = min(result for result in (greater, less) if result is not None)
    return BoschlooTest(min(1.0, 2 * p) if side == "two-sided" else p, statistic, rate, side)


def _one_sided(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float, float]:
    """P value, Fisher's p value, and the rate at the maximum, for `group 1 is higher`."""
    n, seen = n1 + n2, x1 + x2
    ways = [comb(n1, i) for i in range(n1 + 1)], [comb(n2, i) for i in range(n2 + 1)]
    limit = sum(ways[0][i] * ways[1][seen - i] for i in range(x1, min(n1, seen) + 1))
    if limit == (of := comb(n, seen)):
        return 1.0, 1.0, 0.5
    extreme = [_extreme(ways, s, limit * comb(n, s), of) for s in range(n + 1)]
    logs = [(s, log(count)) for s, count in enumerate(extreme) if count]
    p, rate = _highest(lambda angle: _chance(logs, n, angle), n)
    return min(1.0, p), limit / of, rate


def _extreme(ways: tuple[Sequence[int], Sequence[int]], s: int, limit: int, of: int) -> int:
    """How many arrangements of s passes belong to the region: the largest tail within the limit."""
    first, second = ways
    count = 0
    for i in range(min(len(first) - 1, s), max(0, s - len(second) + 1) - 1, -1):
        larger = count + first[i] * second[s - i]
        if larger * of > limit:
            break
        count = larger
    return count


def _chance(logs: Sequence[tuple[int, float]], n: int, angle: float) -> float:
    """The probability of the region when the common rate is sin² of the angle."""
    rate = sin(angle) ** 2
    passed, failed = log(rate), log(1 - rate)
    return sum(exp(height + s * passed + (n - s) * failed) for s, height in logs)


def _highest(chance: Callable[[float], float], n: int) -> tuple[float, float]:
    """The maximum and its rate: a grid finer than any peak is wide, its best peaks refined.

    In the angle every peak has a width of about 1/(2·sqrt(n)), so equal steps see them all.
    """
    steps = max(200, ceil(40 * sqrt(n)))
    width = pi / 2 / steps
    grid = [0.0, *(chance(i * width) for i in range(1, steps)), 0.0]
    best = max(grid)
    peaks = [
        i
        for i in range(1, steps)
        if grid[i] >= _NEAR * best and grid[i - 1] <= grid[i] >= grid[i + 1]
    ]
    angles = [_refined(chance, (i - 1) * width, (i + 1) * width) for i in peaks]
    top = max(angles, key=chance)
    return chance(top), sin(top) ** 2


def _refined(chance: Callable[[float], float], low: float, high: float) -> float:
    """The angle of the maximum between two others, by golden section."""
    golden = (sqrt(5) - 1) / 2
    edge = asin(1e-8)
    low, high = max(low, edge), min(high, pi / 2 - edge)
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = chance(left), chance(right)
    for _ in range(60):
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = chance(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = chance(right)
    return (low + high) / 2
