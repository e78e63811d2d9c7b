"""Early verdicts: curtailment of one arm's run, and e-values for pairs looked at one by one."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, comb, inf
from typing import TYPE_CHECKING, Literal

from abverify.verify.stats._arguments import decimal, probability, sided, whole

if TYPE_CHECKING:
    from decimal import Decimal

Decision = Literal["met", "not-met", "undecided"]


def required_count(rate: str | Decimal | Fraction, n: int) -> int:
    """How many of n must pass for a rate of at least `rate`: the ceiling of rate times n.

    Exact: "0.07" of 100 is 7, where floats say 8.

    Args:
        rate: a decimal text such as "0.3", a Decimal or a Fraction, from 0 to 1.
        n: the number of trials in the contract.

    Raises:
        ValueError: if the rate is a float, no decimal, or outside 0…1, or n no count.
    """
    return ceil(decimal("rate", rate) * whole("n", n))


def threshold_decision(
    passes: int,
    fails: int,
    unrun_or_errored: int,
    N: int,  # noqa: N803 (the letter of the contract and of the literature)
    required: int,
) -> Decision:
    """Whether `at least required of N pass` is decided, whatever the rest would have been.

    `met` when the passes suffice, `not-met` when even passes in all of the rest would not,
    else `undecided`. What errored is unknown, never a failure. The verdict equals that of the full
    run, so stopping here costs no error rate; but passes / trials of a run stopped so is biased.

    Args:
        passes: trials that passed.
        fails: trials that were measured and did not pass.
        unrun_or_errored: trials without a measurement.
        N: all trials of the contract.
        required: how many must pass; see `required_count` for a rate.

    Raises:
        ValueError: if one is no count, or the first three do not add up to N.
    """
    passed, failed = whole("passes", passes), whole("fails", fails)
    unknown, total = whole("unrun_or_errored", unrun_or_errored), whole("N", N)
    needed = whole("required", required)
    if passed + failed + unknown != total:
        raise ValueError(
            f"passes + fails + unrun_or_errored: expected N={total},"
            f" found {passed} + {failed} + {unknown}"
        )
    if passed >= needed:
        return "met"
    return "not-met" if passed + unknown < needed else "undecided"


def curtailed_expected_n(N: int, required_passes: int, p: float) -> float:  # noqa: N803
    """How many trials a run takes on average that stops as soon as its verdict is certain.

    Args:
        N: all trials of the contract.
        required_passes: how many must pass.
        p: the chance of a pass, the same and independent in every trial.

    Returns:
        The expected number of trials, 0…N; divided by N, the expected share of the bench.

    Raises:
        ValueError: if N or required_passes is no count, or p is outside 0…1.
    """
    total, needed = whole("N", N), whole("required_passes", required_passes)
    chance = probability("p", p)
    spare = total - needed
    if needed == 0 or spare < 0:
        return 0.0
    # undecided[s]: the probability of s passes and no verdict after the trials so far.
    undecided, expected = [1.0] + [0.0] * (needed - 1), 0.0
    for run in range(total):
        expected += sum(undecided)
        undecided = [
            (chance * undecided[s - 1] if s else 0.0) + (1 - chance) * undecided[s]
            for s in range(needed)
        ]
        for s in range(min(needed, run + 1 - spare)):  # more fails than can be spared
            undecided[s] = 0.0
    return expected


def evalue_sign_fixed(wins: int, losses: int, q: float = 0.9) -> float:
    """The evidence against `a discordant pair is a coin toss`, betting the same each time.

    (2q)^wins · (2(1-q))^losses. At any time, however often one looks, P(value >= 1/alpha) is at
    most alpha when the arms do not differ: stop and confirm at 20 for a level of 0.05. Six
    wins in a row suffice at q = 0.9.

    Args:
        wins: discordant pairs in the declared direction, so far.
        losses: discordant pairs against it.
        q: the declared bet, the share of wins it is best for, 0.5 to 1.

    Returns:
        The e-value: 1 at the start; infinite where no float can hold it.

    Raises:
        ValueError: if a count is none, or q is outside 0.5…1.

    Source: Ville's inequality (1939); Shafer, JRSS A 184 (2021) 407-431.
    """
    won, lost = whole("wins", wins), whole("losses", losses)
    share = probability("q", q)
    if share < 0.5:  # noqa: PLR2004 (a fair coin, by the docstring)
        raise ValueError(f"q: expected a bet from 0.5 to 1, found {q!r}")
    bet = 2 * Fraction(share)
    return _float(bet**won * (2 - bet) ** lost)


def evalue_sign_mixture(wins: int, losses: int, alternative: str = "greater") -> float:
    """The same evidence without a bet to declare: the average of all bets, uniformly.

    In the declared direction the average is over q from 1/2 to 1,
    2^(w+l+1) · B(w+1, l+1) · P(Beta(w+1, l+1) > 1/2); two-sided it is over 0 to 1,
    2^(w+l) · B(w+1, l+1). Wins in a row until 20: seven, and eight.

    Args:
        wins: discordant pairs in the declared direction, so far.
        losses: discordant pairs against it.
        alternative: `greater`: more wins, the default, because an experiment declares its
            direction; `less`: more losses; `two-sided`.

    Returns:
        The e-value: 1 at the start; infinite where no float can hold it.

    Raises:
        ValueError: if a count is none, or the alternative is unknown.

    Source: Robbins, Annals of Mathematical Statistics 41 (1970) 1397-1409.
    """
    won, lost = whole("wins", wins), whole("losses", losses)
    side = sided(alternative)
    if side == "less":
        won, lost = lost, won
    tosses = won + lost
    orders = (tosses + 1) * comb(tosses, won)  # 1 / B(w+1, l+1)
    if side == "two-sided":
        return _float(Fraction(2**tosses, orders))
    # P(Beta(w+1, l+1) > 1/2) is P(at most w heads in w+l+1 tosses).
    return _float(Fraction(sum(comb(tosses + 1, j) for j in range(won + 1)), orders))


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf
