"""What a design can find, exactly, when the control arm never passes."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING

from abverify.verify.stats._arguments import decimal, probability, sided, whole

if TYPE_CHECKING:
    from decimal import Decimal


def exact_power_control_zero(n: int, q: float, min_discordant: int) -> float:
    """P(at least `min_discordant` of n pairs flip), each with chance q, all one way.

    The power of McNemar's exact test when the control never passes: with 20 fixtures at one seed
    and an effect of 10 % it is 0.011 two-sided (6 must flip) and 0.043 one-sided (5).

    Args:
        n: pairs.
        q: the chance that a pair flips: the treated arm's rate.
        min_discordant: how many flips the test needs; see the function of that name.

    Raises:
        ValueError: if n or min_discordant is no count, or q is outside 0…1.
    """
    pairs, least = whole("n", n), whole("min_discordant", min_discordant)
    flip = Fraction(probability("q", q))
    yes, no = flip.numerator, flip.denominator - flip.numerator
    ways = sum(comb(pairs, j) * yes**j * no ** (pairs - j) for j in range(least, pairs + 1))
    return float(Fraction(ways, flip.denominator**pairs))


def min_discordant(alpha: str | Decimal | Fraction = "0.05", alternative: str = "two-sided") -> int:
    """The fewest discordant pairs, all one way, with which McNemar's exact p is at most alpha.

    Six at 0.05 two-sided, five one-sided.

    Args:
        alpha: the level, a decimal text, Decimal or Fraction above 0.
        alternative: `two-sided`, or `greater` or `less` for one declared direction.

    Raises:
        ValueError: if alpha is a float or outside (0, 1], or the alternative is unknown.
    """
    bound = _one_sided(alpha, alternative)
    flips = 0
    while Fraction(1, 2**flips) > bound:
        flips += 1
    return flips


def stratified_power_control_zero(
    n: int,
    k: int,
    q: float,
    alpha: str | Decimal | Fraction = "0.05",
    alternative: str = "two-sided",
) -> float:
    """The power of the stratified permutation test when the control never passes.

    With n fixtures, k seeds in each arm, and the treated arm passing each trial independently
    with chance q, the same in every fixture. All passes are then in one arm, and the one-sided p
    value is the product over fixtures of C(k, s) / C(2k, s) for s passes. At k = 1 it is
    `exact_power_control_zero` with `min_discordant`.

    Args:
        n: fixtures, at least 1.
        k: seeds in each arm, at least 1.
        q: the treated arm's rate.
        alpha: the level, a decimal text, Decimal or Fraction above 0.
        alternative: `two-sided`, or `greater` or `less` for one declared direction.

    Raises:
        ValueError: if n or k is no count of at least 1, q is outside 0…1, alpha is a float or
            outside (0, 1], or the alternative is unknown.
    """
    fixtures, seeds = whole("n", n), whole("k", k)
    if fixtures < 1 or seeds < 1:
        raise ValueError(f"n and k: expected at least 1, found n={n}, k={k}")
    rate, bound = probability("q", q), _one_sided(alpha, alternative)
    chance = [comb(seeds, s) * rate**s * (1 - rate) ** (seeds - s) for s in range(seeds + 1)]
    ratio = [Fraction(comb(seeds, s), comb(2 * seeds, s)) for s in range(seeds + 1)]

    def missed(s: int, left: int, p: Fraction) -> float:
        """The chance of no rejection when `left` fixtures have at most s passes each."""
        if s == 0:
            return chance[0] ** left
        total, ways = 0.0, 1.0
        for count in range(left + 1):
            if p <= bound:
                break
            total += ways * missed(s - 1, left - count, p)
            ways *= chance[s] * (left - count) / (count + 1)
            p *= ratio[s]
        return total

    return max(0.0, 1.0 - missed(seeds, fixtures, Fraction(1)))


def _one_sided(alpha: str | Decimal | Fraction, alternative: str) -> Fraction:
    """The bound on the one-sided p value at the end of a symmetric distribution."""
    two = sided(alternative) == "two-sided"
    exact = decimal("alpha", alpha)
    if exact == 0:
        raise ValueError("alpha: expected a level above 0, found 0")
    if exact == 1:
        return exact
    return exact / 2 if two else exact
