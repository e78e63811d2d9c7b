"""Several hypotheses at once: adjusted p values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.verify.stats._arguments import probability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def p_adjust(p: Iterable[float], method: str = "holm") -> tuple[float, ...]:
    """P values adjusted for being members of one family, in the order given.

    Reject where the adjusted value is at most the level. Never below the p value, never above 1.

    Args:
        p: the p values of the whole family.
        method: `holm` (family-wise error, no assumptions: the default), `bonferroni`, `hochberg`
            and `hommel` (family-wise, positive dependence), `BH` or `fdr` (false
            discovery rate, positive dependence), `BY` (the same, any dependence), `none`;
            in upper or lower case.

    Raises:
        ValueError: if a p value is outside 0…1 or the method is unknown.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70; Hochberg, Biometrika 75
        (1988) 800-802; Hommel, Biometrika 75 (1988) 383-386; Benjamini and Hochberg, JRSS B 57
        (1995) 289-300; Benjamini and Yekutieli, Annals of Statistics 29 (2001) 1165-1188;
        as algorithms: Wright, Biometrics 48 (1992) 1005-1013. R: `p.adjust`.
    """
    values = [probability("p", value) for value in p]
    if (adjust := _METHODS.get(str(method).lower())) is None:
        raise ValueError(f"method: expected one of {', '.join(_METHODS)}, found {method!r}")
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [values[i] for i in order]
    adjusted = dict(zip(order, adjust(ranked), strict=True)) if values else {}
    return tuple(min(1.0, max(adjusted[i], value)) for i, value in enumerate(values))


def _bonferroni(p: Sequence[float]) -> list[float]:
    return [len(p) * value for value in p]


def _holm(p: Sequence[float]) -> list[float]:
    """Step down: the smallest against all, the next against the rest, never falling back."""
    return _running(max, [(len(p) - i) * value for i, value in enumerate(p)])


def _hochberg(p: Sequence[float]) -> list[float]:
    """Step up: the largest as it is, the next against two."""
    return _stepped_up([(len(p) - i) * value for i, value in enumerate(p)])


def _bh(p: Sequence[float]) -> list[float]:
    return _stepped_up([len(p) / (i + 1) * value for i, value in enumerate(p)])


def _by(p: Sequence[float]) -> list[float]:
    harmonic = sum(1 / (i + 1) for i in range(len(p)))
    return _stepped_up([harmonic * len(p) / (i + 1) * value for i, value in enumerate(p)])


def _hommel(p: Sequence[float]) -> list[float]:
    """By closure: for every size of subset, the smallest Simes value that can hold a member."""
    n = len(p)
    adjusted = [min(n * value / (i + 1) for i, value in enumerate(p))] * n
    for size in range(n - 1, 1, -1):
        # Of the subsets of this size, the worst holds the size - 1 largest p values.
        largest = p[n - size + 1 :]
        simes = min(size * value / (j + 2) for j, value in enumerate(largest))
        with_it = [min(size * value, simes) for value in p[: n - size + 1]]
        bound = with_it + [with_it[-1]] * len(largest)
        adjusted = [max(pair) for pair in zip(adjusted, bound, strict=True)]
    return adjusted


def _running(pick: Callable[[float, float], float], values: Sequence[float]) -> list[float]:
    result = [values[0]]
    for value in values[1:]:
        result.append(pick(result[-1], value))
    return result


def _stepped_up(values: Sequence[float]) -> list[float]:
    return _running(min, values[::-1])[::-1]


_METHODS: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bonferroni": _bonferroni,
    "bh": _bh,
    "by": _by,
    "fdr": _bh,
    "none": list,
}
