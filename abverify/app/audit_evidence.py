"""The evidence behind decisions: cited bundles byte by byte, and every conclusion drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.audit_docket import PastDockets
from abverify.errors import AbverifyError
from abverify.model.report import Reason
from abverify.records.bodies import Amendment, Decision, Discharge
from abverify.verify.eligibility import judge, unsound_reason
from abverify.verify.verdict import concluded
from abverify.workspace.contracts import contract_from
from abverify.workspace.evidence_store import bundle_folders, load_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.stop import Stop
    from abverify.model.report import CriterionLine
    from abverify.records.record import Record
    from abverify.verify.eligibility import Eligibility


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
        self._dockets = PastDockets(root)

    def visit(self, record: Record) -> None:
        """Verifies the evidence of a decision; a gate's amendments come before its decisions."""
        if isinstance(record.body, Amendment):
            self._dockets.show(record)
        elif isinstance(record.body, Decision):
            found = list(self._faults(record, record.body))
            self.decisions += 1
            self.sound += not found
            self.reasons += found

    def _faults(self, record: Record, body: Decision) -> Iterator[Reason]:
        """The faults of what a decision cites, and of what it concludes from it."""
        reasons, calibrations = _calibrations(self._root, record, body)
        for cited in body.evidence:
            faults, bundle = _cited_bundle(self._root, record, cited.path, cited.manifest_sha256)
            yield from faults
            if bundle is not None and not bundle.faults:
                yield from self._conclusion(record, body, bundle, calibrations)
        yield from reasons

    def _conclusion(
        self, record: Record, body: Decision, bundle: Bundle, calibrations: Sequence[Bundle]
    ) -> Iterator[Reason]:
        """Judges the evidence as it was judged then, and draws the conclusion again."""
        data = self._published.get(record.statement.subject.name)
        if data is None:
            return
        contract = contract_from(data, record.statement.subject.name).contract
        docket = self._dockets.at(record, contract, bundle, calibrations)
        judged = judge(bundle, docket)
        yield from _premises(record, body, judged)
        lines, met = concluded(contract, bundle, judged.scores, docket.fixtures)
        yield from _differences(record, body, lines, judged.scores.stop, met=met)


def _calibrations(
    root: Path, record: Record, body: Decision
) -> tuple[tuple[Reason, ...], tuple[Bundle, ...]]:
    """The faults of the cited calibration, and what of it can be read.

    It is found by its folder's name: what stands inside could be altered.
    """
    cited = body.calibration
    paths = [path for path in bundle_folders(root) if path.endswith(f"/{cited.run}")]
    if not paths:
        missing = f"calibration {cited.run}"
        return (_cited(record, missing, cited.manifest_sha256, "no such bundle"),), ()
    found = [_cited_bundle(root, record, path, cited.manifest_sha256) for path in paths]
    reasons = tuple(reason for faults, _ in found for reason in faults)
    return reasons, tuple(bundle for _, bundle in found if bundle is not None)


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


def _premises(record: Record, body: Decision, judged: Eligibility) -> Iterator[Reason]:
    """Whether the evidence may count, and is what the record says of it.

    Whoever signs a decision could cite a bundle of another model, another configuration, another
    stage or an earlier version of the contract, all of it sound in itself.
    """
    against = [reason for reason in judged.reasons if reason.severity == "error"]
    wrong = _claims(body, judged.bundle)
    if not against and not wrong:
        return
    wanted = [f"{reason.rule} {reason.expected}" for reason in against]
    found = [f"{reason.rule} {reason.found}" for reason in against]
    yield Reason(
        "wrong-evidence",
        "AV471",
        "error",
        "the decision rests on evidence that may not count for it"
        if against
        else "the decision says something else of its evidence than stands there",
        place=record.path,
        expected="; ".join([*wanted, *(f"{name} {pair[0]}" for name, pair in wrong.items())]),
        found="; ".join([*found, *(f"{name} {pair[1]}" for name, pair in wrong.items())]),
        next="retract the record, and check the gate with evidence of its own",
    )


def _claims(body: Decision, bundle: Bundle) -> dict[str, tuple[object, object]]:
    """What the record says of its evidence, where it says something else than stands there."""
    values, model = bundle.lock.values, body.model
    pairs = {
        "model": (values.get("model.name"), model.name),
        "weights": (values.get("model.weights_sha256"), model.weights_sha256),
        "adapter": (values.get("model.adapter_sha256"), model.adapter_sha256),
        "identity": (bundle.manifest.identity, model.identity),
        "run lock": (bundle.lock.sha256, body.run_lock.sha256),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _differences(
    record: Record,
    body: Decision,
    lines: Sequence[CriterionLine],
    stop: Stop | None,
    *,
    met: bool | None,
) -> Iterator[Reason]:
    """Whether the record says what its evidence gives."""
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
