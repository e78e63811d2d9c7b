"""What an amendment would make of past evidence: every bundle judged by both versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.scores import compute_scores
from abverify.evidence.stop import claimed_stop
from abverify.verify.evaluate import holds, kleene_all
from abverify.verify.stopping.completions import Completions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.evidence.bundle import Bundle
    from abverify.model.contract import Contract
    from abverify.model.report import Verdict


@frozen
class Replay:
    """One bench bundle's criteria under both versions.

    Attributes:
        path: the bundle's folder.
        before: what its numbers say under the version in force.
        after: what they would say under the proposed one.
    """

    path: str
    before: Verdict
    after: Verdict

    @property
    def flips(self) -> bool:
        """Whether the amendment would turn the verdict."""
        return self.before != self.after


def replay(bundles: Iterable[Bundle], old: Contract, new: Contract) -> tuple[Replay, ...]:
    """Judges every sound bench bundle by the criteria of both versions, and by nothing else.

    It shows what the new criteria would have made of known numbers. It is never a
    verdict: evidence that is older than an amendment does not count for it.
    """
    return tuple(
        Replay(bundle.path, _verdict(bundle, old), _verdict(bundle, new))
        for bundle in bundles
        if bundle.manifest.stage == "bench" and not bundle.faults
    )


def _verdict(bundle: Bundle, contract: Contract) -> Verdict:
    met = _met(bundle, contract)
    return "cannot-evaluate" if met is None else "met" if met else "not-met"


def _met(bundle: Bundle, contract: Contract) -> bool | None:
    """What a whole bench says, or what every completion of one that stopped early would have."""
    stop = claimed_stop(bundle.claimed_scores)
    if stop is not None:
        counted = {key: bundle.trials[key] for key in bundle.trials if key not in stop.remaining}
        max_turns = contract.config.budgets.max_turns
        ends = Completions.of((*counted, *stop.remaining), counted, max_turns=max_turns)
        verdicts = ends.verdicts(contract.criteria)
        return verdicts.pop() if len(verdicts) == 1 else None
    fixtures = {fixture for fixture, _ in bundle.trials}
    measures = compute_scores(bundle.trials, fixtures=fixtures, seeds=bundle.seeds).measures
    return kleene_all(holds(criterion, measures) for criterion in contract.criteria)
