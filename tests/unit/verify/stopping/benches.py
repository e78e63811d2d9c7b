"""Small benches of which every completion can be listed, each trial ending in one of a few ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Literal

from abverify.evidence.rows import Parse, Trial
from abverify.evidence.scores import MARKDOWN_CODE, compute_scores
from abverify.evidence.trials import TrialResult, WholeTrial
from abverify.verify.evaluate import holds, kleene_all
from tests.builders import PROSE, ended, oracle, turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.evidence.scores import Measure
    from abverify.model.criteria import Criterion

Key = tuple[str, int]
Turn = Literal["native", "recovered", "markdown", "prose"]
End = tuple[tuple[Turn, ...], bool, bool]
"""How a trial ends: its turns, whether it passes, and whether its oracle failed before."""

_PARSES: Mapping[Turn, Parse] = {
    "native": Parse(verdict="native", calls=(), codes=()),
    "recovered": Parse(verdict="recovered", calls=(), codes=("bare-json",)),
    "markdown": Parse(verdict="recovered", calls=(), codes=(MARKDOWN_CODE,)),
    "prose": Parse(verdict="none", calls=(), codes=()),
}


def result(key: Key, end: End) -> TrialResult:
    """A trial that ended so."""
    kinds, passed, stumbled = end
    trial = Trial(fixture=key[0], seed=key[1])
    turns = tuple(
        turn(trial, number, PROSE).model_copy(update={"parse": _PARSES[kind]})
        for number, kind in enumerate(kinds, 1)
    )
    runs = ([False] if stumbled else []) + ([True] if passed else [])
    whole = WholeTrial(
        trial=trial,
        turns=turns,
        oracle=tuple(oracle(trial, number, passed=run) for number, run in enumerate(runs, 1)),
        ended=ended(trial, "oracle_passed" if passed else "oracle_failed", len(turns)),
    )
    return whole.result()


@dataclass(frozen=True)
class Bench:
    """A bench and every way in which it can end.

    Attributes:
        order: its trials.
        ends: how each of them can end.
    """

    order: tuple[Key, ...]
    ends: tuple[End, ...]

    @cached_property
    def results(self) -> Mapping[tuple[Key, End], TrialResult]:
        """Every result that a trial can have."""
        return {(key, end): result(key, end) for key in self.order for end in self.ends}

    @cached_property
    def measures(self) -> Mapping[tuple[End, ...], Mapping[str, Measure]]:
        """The metrics of every completion, as they are computed where no stop rule is declared."""
        fixtures = sorted({fixture for fixture, _ in self.order})
        seeds = sorted({seed for _, seed in self.order})
        return {
            ends: compute_scores(self.known(ends), fixtures=fixtures, seeds=seeds).measures
            for ends in product(self.ends, repeat=len(self.order))
        }

    def known(self, ends: tuple[End, ...]) -> dict[Key, TrialResult]:
        """The first trials, having ended so."""
        return {key: self.results[key, end] for key, end in zip(self.order, ends, strict=False)}

    def prefixes(self, longest: int) -> Iterator[tuple[End, ...]]:
        """Every way in which the first trials can have ended, up to so many of them."""
        for size in range(longest + 1):
            yield from product(self.ends, repeat=size)

    def verdicts(
        self, criteria: tuple[Criterion, ...], prefix: tuple[End, ...]
    ) -> set[bool | None]:
        """The verdict of every completion of a prefix, by listing them all."""
        return {
            kleene_all(holds(criterion, measures) for criterion in criteria)
            for ends, measures in self.measures.items()
            if ends[: len(prefix)] == prefix
        }
