"""Trials of two arms brought together, fixture by fixture and seed by seed."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.verify.experiment.endpoints import shows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from abverify.evidence.trials import TrialResult
    from abverify.model.experiment import MeasureName

    Trials = Mapping[tuple[str, int], TrialResult]


@frozen
class FixturePair:
    """One fixture in both arms: the endpoint at each seed that both arms measured.

    Seeds of two models do not couple their outputs; they only number the trials.
    """

    fixture: str
    control: tuple[bool, ...]
    treatment: tuple[bool, ...]

    def __post_init__(self) -> None:
        if len(self.control) != len(self.treatment) or not self.control:
            raise ValueError(f"{self.fixture}: expected as many trials in each arm, at least one")

    @property
    def difference(self) -> Fraction:
        """Treatment minus control, as a rate."""
        return Fraction(sum(self.treatment) - sum(self.control), len(self.control))


def paired(
    control: Trials,
    treatment: Trials,
    *,
    fixtures: Iterable[str],
    seeds: Sequence[int],
    measure: MeasureName,
) -> tuple[FixturePair, ...]:
    """Pairs what both arms measured, in the order of the fixtures' ids."""
    pairs = []
    for fixture in sorted(fixtures):
        both = [
            (control[fixture, seed], treatment[fixture, seed])
            for seed in seeds
            if _measured(control, fixture, seed) and _measured(treatment, fixture, seed)
        ]
        if both:
            shown = [(shows(measure, one), shows(measure, other)) for one, other in both]
            pairs.append(FixturePair(fixture, *map(tuple, zip(*shown, strict=True))))
    return tuple(pairs)


def _measured(trials: Trials, fixture: str, seed: int) -> bool:
    result = trials.get((fixture, seed))
    return result is not None and result.measured


def tables(pairs: Sequence[FixturePair]) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """The paired table of each seed, treatment in the rows, success first."""
    seeds = max(len(pair.control) for pair in pairs)
    return tuple(_table(pairs, [seed]) for seed in range(seeds))


def pooled_table(pairs: Sequence[FixturePair]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The paired table over all seeds, treatment in the rows, success first."""
    return _table(pairs, range(max(len(pair.control) for pair in pairs)))


def _table(
    pairs: Sequence[FixturePair], seeds: Iterable[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    wanted = set(seeds)
    cells = [
        cell
        for pair in pairs
        for seed, cell in enumerate(zip(pair.treatment, pair.control, strict=True))
        if seed in wanted
    ]
    return (
        (cells.count((True, True)), cells.count((True, False))),
        (cells.count((False, True)), cells.count((False, False))),
    )
