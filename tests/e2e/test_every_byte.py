"""Every byte of the evidence behind a decision: flip any of them, and the audit says which file.

The bundles are the story's own, cut down to the first trial and the first reading of the meter
and signed anew; so each of some ten thousand audits of the evidence takes milliseconds.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_digest, sha256_file
from abverify._clock import now
from abverify.app.audit import audit
from abverify.app.audit_evidence import EvidenceAudit
from abverify.evidence.manifest import JOURNAL, MANIFEST
from abverify.evidence.rows import TrialStarted, row_line
from abverify.model.ids import GateId
from abverify.records.ledger import read_ledger
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import ledger_files, root_files
from tests.support.bundles import replace_trials, rows_of, seal
from tests.support.insider import signed_anew

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.model.report import Reason
    from tests.support.repository import Repository

GATE = "gates/laptop-replica/S1_004"
FILES = {"attempts.jsonl", "lock.json", "manifest.json", "rows.jsonl", "scores.json", "start.json"}


def _cut(repository: Repository) -> tuple[Path, Path]:
    """Leaves the cited bench one trial and the cited calibration one row, and signs that."""
    (bench,) = (repository.root / GATE).glob("evidence/bench-*")
    (meter,) = (repository.root / GATE).glob("evidence/calibrate-*")
    first, *rest = rows_of(bench)
    assert isinstance(first, TrialStarted)
    trial = [first, *takewhile(lambda row: not isinstance(row, TrialStarted), rest)]
    replace_trials(bench, trial, fixtures=[first.trial.fixture])
    (meter / JOURNAL).write_bytes(row_line(rows_of(meter)[0]))
    seal(meter)
    record = f"{GATE}/000003.non-discharge.dsse.json"

    def cite(predicate: dict[str, Any]) -> None:
        predicate["evidence"][0]["manifestSha256"] = sha256_file(bench / MANIFEST)
        predicate["evidenceRoot"] = canonical_digest(predicate["evidence"])
        predicate["calibration"]["manifestSha256"] = sha256_file(meter / MANIFEST)

    signed_anew(repository, record, cite)
    return bench, meter


def _unnoticed(root: Path, file: Path, findings: Callable[[], list[Reason]]) -> list[int]:
    """The bytes of a file whose change the audit of evidence does not pin on that file."""
    original = file.read_bytes()
    place = file.relative_to(root).as_posix()
    missed = []
    for at, byte in enumerate(original):
        file.write_bytes(original[:at] + bytes([byte ^ 1 << at % 8]) + original[at + 1 :])
        if not any((reason.place or "").startswith(place) for reason in findings()):
            missed.append(at)
        if at == 0:
            assert audit(root).exit_code == 4
    file.write_bytes(original)
    return missed


@pytest.mark.slow
def test_no_byte_of_the_cited_evidence_can_be_flipped_unnoticed(after_story: Repository) -> None:
    bundles, root = _cut(after_story), after_story.root
    published, files = published_files(root), ledger_files(root)
    ledger = read_ledger(files.records, published, root_files(root), files.log, now=now())
    (*before, decision) = ledger.chain(GateId("laptop-replica", "S1_004"))
    assert decision.kind == "non-discharge"

    def findings() -> list[Reason]:
        seen.reasons.clear()
        seen.visit(decision)
        return seen.reasons

    seen = EvidenceAudit(root, published)
    for record in before:
        seen.visit(record)
    # One trial is not the whole bench, which is said of the decision and of no file.
    assert {reason.place for reason in findings()} == {decision.path}
    for bundle in bundles:
        parts = sorted(bundle.iterdir())
        assert {part.name for part in parts} == FILES
        for part in parts:
            assert _unnoticed(root, part, findings) == [], part
