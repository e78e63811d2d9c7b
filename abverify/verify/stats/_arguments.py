"""What the functions of this package accept, checked in one place: counts, levels, tables."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import nan
from numbers import Real
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

Alternative = Literal["two-sided", "greater", "less"]
"""`greater` says that the first arm's rate (A, 1, the top row) is the higher one."""


def whole(name: str, value: float) -> int:
    """A count: a whole number, at least 0, of whatever numeric type."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number != value or number < 0:
        raise ValueError(f"{name}: expected a whole number of at least 0, found {value!r}")
    return number


def part(x: float, n: float, names: tuple[str, str] = ("x", "n")) -> tuple[int, int]:
    """Successes out of trials, of which there is at least one."""
    try:
        some, of = whole(names[0], x), whole(names[1], n)
    except ValueError:
        some, of = 1, 0
    if of < 1 or some > of:
        raise ValueError(
            f"no proportion: expected whole numbers with 0 <= {names[0]} <= {names[1]} and"
            f" {names[1]} >= 1, found {names[0]}={x}, {names[1]}={n}"
        )
    return some, of


def level(conf: float | Decimal | Fraction) -> float:
    """A confidence level, strictly between 0 and 1."""
    number = _float(conf)
    if not 0 < number < 1:
        raise ValueError(f"conf: expected a level between 0 and 1, found {conf!r}")
    return number


def probability(name: str, value: float | Decimal | Fraction) -> float:
    """A probability, 0 and 1 included."""
    number = _float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name}: expected a probability from 0 to 1, found {value!r}")
    return number


def _float(value: object) -> float:
    """A number of whatever type; NaN, which is inside no bounds, for anything else."""
    try:
        return float(value) if isinstance(value, Real | Decimal) else nan
    except (OverflowError, ValueError):
        return nan


def decimal(name: str, value: str | Decimal | Fraction) -> Fraction:
    """The exact value of a number from 0 to 1; floats are refused, because 0.07 * 100 > 7."""
    if not isinstance(value, str | Decimal | Fraction | int):
        raise ValueError(  # noqa: TRY004 (one kind of error for every unfit argument)
            f'{name}: expected a decimal text such as "0.05", found {value!r}'
        )
    try:
        number = Fraction(value)
    except (ValueError, ArithmeticError):
        number = Fraction(-1)
    if not 0 <= number <= 1:
        raise ValueError(f"{name}: expected a decimal from 0 to 1, found {value!r}")
    return number


def fourfold(table: Iterable[Iterable[float]]) -> tuple[int, int, int, int]:
    """The counts a, b, c, d of a table [[a, b], [c, d]], of lists, tuples or an array."""
    try:
        rows = [list(row) for row in table]
    except TypeError:
        rows = []
    if [len(row) for row in rows] != [2, 2]:
        raise ValueError(f"table: expected [[a, b], [c, d]], found {table!r}")
    (a, b), (c, d) = rows
    return whole("a", a), whole("b", b), whole("c", c), whole("d", d)


def sided(alternative: str) -> Alternative:
    """One of the three alternatives; R's spelling `two.sided` is read as well."""
    word = str(alternative).replace(".", "-")
    if word not in {"two-sided", "greater", "less"}:
        raise ValueError(
            f"alternative: expected 'two-sided', 'greater' or 'less', found {alternative!r}"
        )
    return cast("Alternative", word)


def normal_quantile(conf: float) -> float:
    """The z with which a two-sided normal interval has this level: 1.96 for 0.95."""
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level(conf)) / 2)
