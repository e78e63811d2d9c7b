"""What a run has to do, where it may stop, and who looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from abverify._frozen import frozen
from abverify.evidence.rows import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abverify.evidence.rows import Row
    from abverify.evidence.trials import TrialResult
    from abverify.model.config import RunConfig
    from abverify.model.corpus import Fixture


class Watcher(Protocol):
    """Somebody who looks on: the terminal's live progress. Watching changes nothing."""

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """A trial begins."""

    def token(self, count: int) -> None:
        """The engine has sampled `count` tokens of the current turn."""

    def row(self, row: Row) -> None:
        """A row was journaled."""


class StopRules(Protocol):
    """The declared rules by which a bench may stop early, with the order that they rest on."""

    @property
    def order(self) -> tuple[tuple[str, int], ...]:
        """Every trial by fixture and seed, in the order of its running."""

    def needed(self, results: Mapping[tuple[str, int], TrialResult]) -> int:
        """How many trials of the order are needed, by what is known; the number only falls."""


@frozen
class Plan:
    """What a run has to do.

    Attributes:
        fixtures: the fixtures to run, in order.
        seeds: the declared seeds; a fixture runs once with each.
        config: the contract's run configuration.
        system_prompt: the text of the system prompt.
        stop: the rules by which it may stop early, over exactly these fixtures and seeds; None
            to run every trial.
    """

    fixtures: Sequence[Fixture]
    seeds: Sequence[int]
    config: RunConfig
    system_prompt: str
    stop: StopRules | None = None

    def trials(self) -> tuple[tuple[Trial, Fixture], ...]:
        """Every trial: in the order of the stop rules, else seed by seed, fixture by fixture."""
        if self.stop is not None:
            named = {fixture.id: fixture for fixture in self.fixtures}
            return tuple(
                (Trial(fixture=name, seed=seed), named[name]) for name, seed in self.stop.order
            )
        return tuple(
            (Trial(fixture=fixture.id, seed=seed), fixture)
            for seed in self.seeds
            for fixture in self.fixtures
        )

    def needed(self, results: Mapping[tuple[str, int], TrialResult]) -> int:
        """How many of the trials, from the first one, are to be measured, by what is known."""
        if self.stop is None:
            return len(self.fixtures) * len(self.seeds)
        return self.stop.needed(results)

    def settled(self, results: Mapping[tuple[str, int], TrialResult]) -> bool:
        """Whether nothing is left to be measured.

        Args:
            results: the trials that are measured.
        """
        wanted = self.trials()[: self.needed(results)]
        return all((trial.fixture, trial.seed) in results for trial, _ in wanted)
