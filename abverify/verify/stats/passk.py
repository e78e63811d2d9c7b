"""Several seeds a fixture: the chance that one of k passes, and that all k pass."""

from __future__ import annotations

from math import comb

from abverify.verify.stats._arguments import part, whole


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate of P(at least one of k trials passes): 1 - C(n-c, k) / C(n, k).

    For several fixtures, average over them.

    Args:
        n: trials of one fixture.
        c: how many of them passed.
        k: the number of trials asked about, 1 to n.

    Raises:
        ValueError: if not 0 <= c <= n, or not 1 <= k <= n: fewer trials than k give no
            estimate.

    Source: Chen et al., arXiv 2107.03374 (2021).
    """
    trials, passed, drawn = _counts(n, c, k)
    total = comb(trials, drawn)
    return (total - comb(trials - passed, drawn)) / total


def pass_hat_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate of P(all of k trials pass), written pass^k: C(c, k) / C(n, k).

    For several fixtures, average over them.

    Args:
        n: trials of one fixture.
        c: how many of them passed.
        k: the number of trials asked about, 1 to n.

    Raises:
        ValueError: if not 0 <= c <= n, or not 1 <= k <= n.

    Source: Yao et al., tau-bench, arXiv 2406.12045 (2024).
    """
    trials, passed, drawn = _counts(n, c, k)
    return comb(passed, drawn) / comb(trials, drawn)


def _counts(n: int, c: int, k: int) -> tuple[int, int, int]:
    passed, trials = part(c, n, ("c", "n"))
    drawn = whole("k", k)
    if not 1 <= drawn <= trials:
        raise ValueError(f"k: expected 1 to n={trials}, found {k}")
    return trials, passed, drawn
