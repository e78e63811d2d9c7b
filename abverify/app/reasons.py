"""Errors and faults of the lower layers, as the reasons a report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import members
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
        next="restore the file from version control; abverify audit verifies the whole trail",
    )
