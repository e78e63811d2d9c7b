"""The evidence behind decisions: cited bundles byte by byte, and every conclusion drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import AbverifyError
from abverify.evidence.demand import demanded
from abverify.evidence.scores import compute_scores
from abverify.model.report import Reason
from abverify.records.bodies import Decision, Discharge
from abverify.verify.eligibility import unsound_reason
from abverify.verify.stopping.judgement import fixtures_of, stop_reasons, stopping_of
from abverify.verify.verdict import concluded
from abverify.workspace.contracts import contract_from
from abverify.workspace.evidence_store import bundle_folders, load_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.model.contract import Contract
    from abverify.records.record import Record


class EvidenceAudit:
    """Verifies the evidence of one decision after another.

    Attributes:
        decisions: how many there were.
        sound: how many of them are sound.
        reasons: what is wrong with the others.
    """

    def __init__(self, root: Path, published: Mapping[str, bytes]) -> None:
        """Takes what evidence is judged against.

        Args:
            root: the repository.
            published: the bytes of the published contract versions, by path.
        """
        self.decisions = self.sound = 0
        self.reasons: list[Reason] = []
        self._root = root
        self._published = published

    def visit(self, record: Record) -> None:
        """Verifies the evidence of a decision."""
        found = list(_decision(self._root, self._published, record))
        self.decisions += 1
        self.sound += not found
        self.reasons += found


def _decision(root: Path, published: Mapping[str, bytes], record: Record) -> Iterator[Reason]:
    """The faults of what a decision cites, and of what it concludes from it."""
    body = record.body
    if not isinstance(body, Decision):
        return
    for cited in body.evidence:
        reasons, bundle = _cited_bundle(root, record, cited.path, cited.manifest_sha256)
        yield from reasons
        if bundle is not None:
            yield from _conclusion(published, record, body, bundle)
    yield from _calibration(root, record, body)


def _calibration(root: Path, record: Record, body: Decision) -> Iterator[Reason]:
    """The calibration is found by its folder's name: what stands inside could be altered."""
    cited = body.calibration
    paths = [path for path in bundle_folders(root) if path.endswith(f"/{cited.run}")]
    if not paths:
        yield _cited(record, f"calibration {cited.run}", cited.manifest_sha256, "no such bundle")
    for path in paths:
        yield from _cited_bundle(root, record, path, cited.manifest_sha256)[0]


def _cited_bundle(
    root: Path, record: Record, path: str, sha256: str
) -> tuple[tuple[Reason, ...], Bundle | None]:
    """The faults of a cited bundle, and the bundle itself if it could be read."""
    try:
        bundle = load_bundle(root, path)
    except (AbverifyError, FileNotFoundError) as error:
        return (_unreadable(record, path, error),), None
    reasons = tuple(map(unsound_reason, bundle.faults))
    if bundle.sha256 != sha256:
        changed = _cited(record, f"{path}/manifest.json", sha256, bundle.sha256)
        reasons = (changed, *reasons)
    return reasons, bundle


def _conclusion(
    published: Mapping[str, bytes], record: Record, body: Decision, bundle: Bundle
) -> Iterator[Reason]:
    """Recomputes what the record says it observed, and what it concludes from it."""
    data = published.get(record.statement.subject.name)
    if data is None or bundle.faults:
        return
    contract = contract_from(data, record.statement.subject.name).contract
    yield from _premises(contract, record, body, bundle)
    fixtures = fixtures_of(bundle)
    seeds = contract.config.sampling.seeds
    rules = stopping_of(bundle, contract, fixtures)
    stop = rules.stop(bundle.trials) if rules else None
    yield from stop_reasons(bundle, contract, fixtures, stop)
    scores = compute_scores(bundle.trials, fixtures=fixtures, seeds=seeds, stop=stop)
    lines, met = concluded(contract, bundle, scores, fixtures)
    again = [f"{line.id}: {line.metric} {line.expected}, {line.observed}" for line in lines]
    stated = [f"{c.id}: {c.metric} {c.expected}, {c.observed}" for c in body.criteria]
    if stop is not None and not body.stop_rule.startswith(stop.text()):
        again, stated = [*again, stop.text()], [*stated, body.stop_rule]
    if again != stated or met != isinstance(body, Discharge):
        yield Reason(
            "wrong-conclusion",
            "AV439",
            "error",
            "the record does not say what its evidence gives",
            place=record.path,
            expected=f"{'discharge' if met else 'non-discharge'}; {'; '.join(again)}",
            found=f"{record.kind}; {'; '.join(stated)}",
            next="retract the record",
        )


def _premises(
    contract: Contract, record: Record, body: Decision, bundle: Bundle
) -> Iterator[Reason]:
    """Whether the evidence is what the record says, and what its contract asks for.

    Whoever signs a decision could cite a bundle of another model, another configuration
    or another stage, all of it sound in itself.
    """
    lock, model = bundle.lock, body.model
    wanted = demanded(contract, {})
    told = [key for key in lock.differing(wanted) if key in lock.values or key[:6] != "model."]
    pairs = {
        "stage": ("bench", bundle.manifest.stage),
        "model": (contract.model.name, model.name),
        "weights": (lock.values.get("model.weights_sha256"), model.weights_sha256),
        "adapter": (lock.values.get("model.adapter_sha256"), model.adapter_sha256),
        "identity": (bundle.manifest.identity, model.identity),
        "run lock": (lock.sha256, body.run_lock.sha256),
        **{key: (wanted[key], lock.values.get(key)) for key in told},
    }
    wrong = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if wrong:
        yield Reason(
            "wrong-evidence",
            "AV471",
            "error",
            "the decision rests on evidence that its contract does not ask for",
            place=record.path,
            expected="; ".join(f"{name} {pair[0]}" for name, pair in wrong.items()),
            found="; ".join(f"{name} {pair[1]}" for name, pair in wrong.items()),
            next="retract the record, and check the gate with evidence of its own",
        )


def _cited(record: Record, place: str, expected: str, found: str) -> Reason:
    return Reason(
        "integrity",
        "AV438",
        "error",
        f"evidence cited by {record.path} is not what was signed",
        place=place,
        expected=f"sha256 {expected}",
        found=found if " " in found else f"sha256 {found}",
        next="restore the bundle from version control",
    )


def _unreadable(record: Record, path: str, error: AbverifyError | FileNotFoundError) -> Reason:
    known = error if isinstance(error, AbverifyError) else None
    return Reason(
        "integrity",
        known.rule if known else "AV438",
        "error",
        f"evidence cited by {record.path} cannot be read: {error}",
        place=str(known.place) if known and known.place else path,
        expected=known.expected if known else "the cited bundle",
        found=known.found if known else "nothing",
        next="restore the bundle from version control",
    )
