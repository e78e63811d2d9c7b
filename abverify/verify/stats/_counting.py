"""Exact tails of a distribution that is given by whole-number weights."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.verify.stats._arguments import Alternative


def tail(weights: Sequence[int], at: int, alternative: Alternative) -> Fraction:
    """The probability of what was seen or something more extreme.

    Two-sided means every value that is no more probable than the one seen: the definition of
    R's `fisher.test`, `binom.test` and `mantelhaen.test(exact = TRUE)`. Compared as integers, so
    that ties are ties; R and scipy need a tolerance here.
    """
    if alternative == "greater":
        extreme = sum(weights[at:])
    elif alternative == "less":
        extreme = sum(weights[: at + 1])
    else:
        extreme = sum(weight for weight in weights if weight <= weights[at])
    return Fraction(extreme, sum(weights))


def hypergeometric(n1: int, n2: int, successes: int) -> tuple[int, list[int]]:
    """The ways to deal `successes` onto n1 + n2 places, by how many fall among the n1.

    Returns:
        The smallest possible number, and the weights from there up; they sum to
        C(n1 + n2, successes).
    """
    least = max(0, successes - n2)
    most = min(n1, successes)
    return least, [comb(n1, i) * comb(n2, successes - i) for i in range(least, most + 1)]
