"""Errors and faults of the lower layers, as the reasons a report shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.errors import exit_code_of, members
from abverify.model.error_report import VERDICTS, ErrorReport
from abverify.model.report import Reason

if TYPE_CHECKING:
    from abverify.errors import AbverifyError
    from abverify.records.record import Fault


def error_reasons(error: AbverifyError, code: str) -> tuple[Reason, ...]:
    """An error, or each one of a group, under a code."""
    return tuple(
        Reason(
            code,
            item.rule,
            "error",
            item.message,
            place=str(item.place) if item.place else None,
            expected=item.expected,
            found=item.found,
            next=item.next_step,
        )
        for item in members(error)
    )


def error_report(error: AbverifyError, verb: str) -> ErrorReport:
    """An error that kept a verb from giving a result of its own, as a result."""
    exit_code = exit_code_of(error)
    reasons = error_reasons(error, VERDICTS[exit_code])
    guided = (
        reason if reason.next else replace(reason, next=f"abverify explain {reason.rule}")
        for reason in reasons
    )
    return ErrorReport(verb, exit_code, tuple(guided))


def ledger_reason(fault: Fault) -> Reason:
    """A fault of the ledger."""
    return Reason(
        "integrity",
        fault.rule,
        "error",
        fault.message,
        place=fault.file,
        expected=fault.expected,
        found=fault.found,
        next=way_on(fault),
    )


def way_on(fault: Fault) -> str:
    """The command that mends a fault of the ledger, or finds out whose it is."""
    return _WAYS_ON.get(fault.rule, "restore the file from version control, then abverify audit")


_WAYS_ON = {
    "AV450": "restore gates/_log from version control; git log gates/_log says who changed it",
    "AV451": "abverify integrate, with an integrator's key",
    "AV453": "look for records that were removed: git log --diff-filter=D -- gates",
    "AV455": "do not merge; ask who holds the integrator's key which of the two histories is true",
    "AV456": "pass a copy of this ledger's gates/_log/checkpoint",
}
