"""The audit: every record, and all that records cite, verified from nothing but files.

What is checked, each item counted:

* the trust root, every record file and every published contract version;
* every bundle that a decision cites, byte by byte, and the calibration it names;
* every decision again: its scores and criteria, recomputed from the cited journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.docket import open_repository
from abverify.app.reasons import ledger_reason
from abverify.errors import AbverifyError
from abverify.evidence.scores import compute_scores
from abverify.model.report import FindingsReport, Reason
from abverify.records.bodies import Decision, Discharge
from abverify.verify.eligibility import unsound_reason
from abverify.verify.evaluate import criterion_lines, holds, kleene_all
from abverify.workspace.contracts import contract_from
from abverify.workspace.evidence_store import bundle_folders, load_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.evidence.bundle import Bundle
    from abverify.records.record import Record

TRUNCATION = "the chains cannot show that a chain's last record was removed; keep a copy elsewhere"


def audit(root: Path) -> FindingsReport:
    """Verifies the whole trail. Exit code 4 for any fault, 5 for an empty ledger."""
    repository = open_repository(root)
    ledger = repository.ledger
    reasons = [ledger_reason(fault) for fault in ledger.faults]
    reasons += map(_unvouched, ledger.unvouched())
    decisions = [record for record in ledger.records if isinstance(record.body, Decision)]
    sound = 0
    for record in decisions:
        found = list(_decision(repository, record))
        sound += not found
        reasons += found
    trust = ledger.root
    total = ledger.total + len(repository.published) + 2 * len(decisions) + bool(trust)
    broken = len({reason.place for reason in reasons})
    return FindingsReport(
        kind="audit",
        reasons=tuple(reasons),
        checked=max(0, total - broken),
        total=total if ledger.total or reasons else 0,
        facts=(
            ("ledger", trust.document.origin if trust else "no trust root"),
            ("root", f"version {trust.document.version}  sha256 {trust.sha256}" if trust else "-"),
            *((("note", trust.document.note),) if trust and trust.document.note else ()),
            ("records", f"{ledger.checked}/{ledger.total} verify"),
            ("contracts", f"{len(repository.published)} published versions"),
            ("decisions", f"{sound}/{len(decisions)} recomputed from their evidence"),
            ("limits", TRUNCATION),
        ),
        failure_code=4,
        empty_message="the ledger has no record",
    )


def _unvouched(path: str) -> Reason:
    return Reason(
        "integrity",
        "AV438",
        "error",
        "a published contract version that no record speaks of",
        place=path,
        expected="a signed amendment record about it",
        found="none",
        next="remove it, or publish it with abverify amend",
    )


def _decision(repository: Repository, record: Record) -> Iterator[Reason]:
    """The faults of what a decision cites, and of what it concludes from it."""
    body = record.body
    if not isinstance(body, Decision):
        return
    for cited in body.evidence:
        reasons, bundle = _cited_bundle(repository, record, cited.path, cited.manifest_sha256)
        yield from reasons
        if bundle is not None:
            yield from _conclusion(repository, record, body, bundle)
    yield from _calibration(repository, record, body)


def _calibration(repository: Repository, record: Record, body: Decision) -> Iterator[Reason]:
    """The calibration is found by its folder's name: what stands inside could be altered."""
    cited = body.calibration
    paths = [path for path in bundle_folders(repository.root) if path.endswith(f"/{cited.run}")]
    if not paths:
        yield _cited(record, f"calibration {cited.run}", cited.manifest_sha256, "no such bundle")
    for path in paths:
        yield from _cited_bundle(repository, record, path, cited.manifest_sha256)[0]


def _cited_bundle(
    repository: Repository, record: Record, path: str, sha256: str
) -> tuple[tuple[Reason, ...], Bundle | None]:
    """The faults of a cited bundle, and the bundle itself if it could be read."""
    try:
        bundle = load_bundle(repository.root, path)
    except (AbverifyError, FileNotFoundError) as error:
        return (_unreadable(record, path, error),), None
    reasons = tuple(map(unsound_reason, bundle.faults))
    if bundle.sha256 != sha256:
        changed = _cited(record, f"{path}/manifest.json", sha256, bundle.sha256)
        reasons = (changed, *reasons)
    return reasons, bundle


def _conclusion(
    repository: Repository, record: Record, body: Decision, bundle: Bundle
) -> Iterator[Reason]:
    """Recomputes what the record says it observed, and what it concludes from it."""
    data = repository.published.get(record.statement.subject.name)
    if data is None or bundle.faults:
        return
    contract = contract_from(data, record.statement.subject.name).contract
    fixtures = {fixture for fixture, _ in bundle.trials}
    seeds = contract.config.sampling.seeds
    measures = compute_scores(bundle.trials, fixtures=fixtures, seeds=seeds).measures
    lines = criterion_lines(contract.criteria, measures)
    again = [f"{line.id}: {line.metric} {line.expected}, {line.observed}" for line in lines]
    stated = [f"{c.id}: {c.metric} {c.expected}, {c.observed}" for c in body.criteria]
    met = kleene_all(holds(criterion, measures) for criterion in contract.criteria)
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
