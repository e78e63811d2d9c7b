"""What an amendment would make of past evidence: every bundle judged by both versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from abverify.evidence.scores import compute_scores
from abverify.verify.evaluate import holds, kleene_all

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.evidence.bundle import Bundle
    from abverify.model.contract import Contract
    from abverify.model.report import Verdict


@dataclass(frozen=True, slots=True)
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
    fixtures = {fixture for fixture, _ in bundle.trials}
    measures = compute_scores(bundle.trials, fixtures=fixtures, seeds=bundle.seeds).measures
    met = kleene_all(holds(criterion, measures) for criterion in contract.criteria)
    return "cannot-evaluate" if met is None else "met" if met else "not-met"
