"""The audit: every record, and all that records cite, verified from nothing but files.

What is checked, each item counted:

* the trust root in all its versions, every record file, and the log over them;
* every published contract version, and that a signed record speaks of it;
* every bundle that a decision cites, byte by byte, and the calibration it names;
* every decision again: its scores and criteria, recomputed from the cited journal.

What is found is of three sorts. `invalid`: something is not as it was signed. `incomplete`:
something signed is missing, or not in the log. Both exit with 4. `unverifiable-here`:
something that the question needs is not here to be judged, which says nothing against the
ledger and nothing for it; alone it exits with 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import now
from abverify._frozen import frozen
from abverify.app.audit_scan import scan_ledger
from abverify.app.audit_since import audit_since
from abverify.app.kept_checkpoint import kept_faults
from abverify.app.reasons import way_on
from abverify.model.report import FindingsReport, Reason
from abverify.records.log.completeness import WAITING
from abverify.workspace.trust_pin import pinned_root

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from abverify.app.audit_scan import LedgerScan
    from abverify.records.record import Fault

UNPINNED = (
    "completeness up to the checkpoint in the repository; that the whole repository was rolled "
    "back, only a checkpoint kept elsewhere shows: --checkpoint FILE"
)
RECORDS_ONLY = "not looked at (--records-only)"
_UNVERIFIABLE = ("AV456",)
_INCOMPLETE = (WAITING, "AV455")
_ABSENT = ("no file", "nothing")


@frozen
class AuditRequest:
    """What to audit.

    Attributes:
        checkpoint: a checkpoint kept elsewhere, which the log must extend.
        since: a kept checkpoint; only what came after it is verified.
        records_only: leave the evidence that decisions cite alone.
        waiting_ok: take records that wait for an integrator for what they are.
        jobs: how many processes verify.
    """

    checkpoint: str | None = None
    since: str | None = None
    records_only: bool = False
    waiting_ok: bool = False
    jobs: int = 1


EVERYTHING = AuditRequest()


def audit(root: Path, request: AuditRequest = EVERYTHING) -> FindingsReport:
    """Verifies the trail.

    Exit code 4 for anything invalid or incomplete, 3 if something can only not be judged
    here, 5 for an empty ledger.
    """
    if request.since is not None:
        return audit_since(root, request.since, fault_reason)
    scan = scan_ledger(
        root,
        now(),
        jobs=request.jobs,
        evidence=not request.records_only,
        pinned=pinned_root(),
    )
    faults = scan.faults
    if request.checkpoint is not None:
        faults = (*faults, *kept_faults(request.checkpoint, scan.trust, scan.log))
    waiting = [fault for fault in faults if fault.rule == WAITING]
    if request.waiting_ok:
        faults = tuple(fault for fault in faults if fault.rule != WAITING)
    reasons = (
        *(fault_reason(fault, _effect(fault, scan)) for fault in faults),
        *map(_unvouched, scan.unvouched),
        *scan.reasons,
        *((_unfinished(),) if scan.unfinished else ()),
    )
    return _report(scan, reasons, request, len(waiting))


def _report(
    scan: LedgerScan, reasons: tuple[Reason, ...], request: AuditRequest, waiting: int
) -> FindingsReport:
    decided, sound = scan.decisions
    total = scan.total + len(scan.contracts) + 2 * decided + bool(scan.trust)
    errors = [reason for reason in reasons if reason.severity == "error"]
    broken = len({reason.place for reason in errors})
    return FindingsReport(
        kind="audit",
        reasons=reasons,
        checked=max(0, total - broken),
        total=total if scan.total or errors else 0,
        facts=(
            *_root_facts(scan),
            ("records", f"{scan.checked}/{scan.total} verify"),
            *_log_facts(scan, waiting),
            ("contracts", f"{len(scan.contracts)} published versions"),
            (
                "decisions",
                RECORDS_ONLY
                if request.records_only
                else f"{sound}/{decided} recomputed from their evidence",
            ),
            ("kept", f"{request.checkpoint}: the log extends it")
            if request.checkpoint and not errors
            else ("limits", UNPINNED),
        ),
        failure_code=_exit_code(errors),
        empty_message="the ledger has no record",
    )


def _root_facts(scan: LedgerScan) -> tuple[tuple[str, str], ...]:
    if scan.trust is None:
        return (("ledger", "no trust root"), ("root", "-"))
    newest = scan.trust.newest
    note = newest.document.note
    return (
        ("ledger", newest.document.origin),
        ("root", f"version {newest.document.version}  sha256 {newest.sha256}"),
        *((("note", note),) if note else ()),
    )


def _log_facts(scan: LedgerScan, waiting: int) -> tuple[tuple[str, str], ...]:
    if scan.log is None:
        return ()
    checkpoint = scan.log.checkpoint
    return (
        ("checkpoint", f"size {checkpoint.size}  root {checkpoint.root.hex()}"),
        *((("waiting", f"{waiting} records for an integrator"),) if waiting else ()),
    )


def _exit_code(errors: Iterable[Reason]) -> int:
    """3 if all that is wrong is that something cannot be judged here; else 4."""
    codes = {reason.code for reason in errors}
    return 3 if codes == {"unverifiable-here"} else 4


def fault_reason(fault: Fault, effect: str = "") -> Reason:
    """A fault of the ledger, with its sort, what it takes down with it, and the way on."""
    sort = "invalid"
    if fault.rule in _UNVERIFIABLE:
        sort = "unverifiable-here"
    elif fault.rule in _INCOMPLETE or fault.found in _ABSENT:
        sort = "incomplete"
    return Reason(
        sort,
        fault.rule,
        "error",
        f"{fault.message}{effect}",
        place=fault.file,
        expected=fault.expected,
        found=fault.found,
        next=way_on(fault),
    )


def _effect(fault: Fault, scan: LedgerScan) -> str:
    """What a fault takes down with it, by the chain that its file stands in."""
    folder = fault.file.rpartition("/")[0]
    for gate, paths in scan.gates.items():
        if paths.folder == folder and fault.file in paths:
            place = paths.index(fault.file)
            later = len(paths) - place - 1
            after = f" and the {later} after it" if later else ""
            return f": record {place + 1} of {gate}{after} cannot count"
    return ""


def _unvouched(path: str) -> Reason:
    return Reason(
        "invalid",
        "AV438",
        "error",
        "a published contract version that no record speaks of",
        place=path,
        expected="a signed amendment record about it",
        found="none",
        next="remove it, or publish it with abverify amend",
    )


def _unfinished() -> Reason:
    return Reason(
        "unfinished-append",
        "AV404",
        "note",
        "an append was interrupted; it counts, and the next writer finishes it",
        place="gates/_log/.abverify-append",
        next="abverify integrate finishes it now",
    )
