"""The trail as text: one line a record, or one record whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abverify.report.blocks import field, new_console, reasons_block, styled, trimmed
from abverify.report.rows import Cell, Column, print_rows

if TYPE_CHECKING:
    from abverify.model.log_report import LogReport, RecordReport

_COLUMNS = (
    Column("issued", whole=True),
    Column("record", whole=True),
    Column("kind", whole=True),
    Column("standing", whole=True),
    Column("says"),
)
_STANDING_STYLE = {"stands": "green", "void": "red", "past": "dim"}


def render_log(report: LogReport, *, width: int, color: bool) -> str:
    """The records, oldest first, each with what it says and whether it still stands."""
    console, buffer = new_console(width, color=color)
    reasons_block(console, report.reasons)
    rows = [
        (
            Cell(line.issued_at, "dim"),
            Cell(f"{line.gate.rsplit('/', 1)[-1]}#{line.seq}", "bold"),
            Cell(line.kind),
            Cell(line.standing, _STANDING_STYLE[line.standing]),
            Cell(f"{line.summary} ({line.actor}: {line.reason})"),
        )
        for line in report.lines
    ]
    print_rows(console, _COLUMNS, rows, name=1)
    field(console, "checked", f"{len(report.lines)}/{report.total} records")
    return trimmed(buffer)


def render_record(report: RecordReport, *, width: int, color: bool) -> str:
    """One record: what it says, who signed it, what cites it, and the statement itself."""
    console, buffer = new_console(width, color=color)
    line = report.line
    head = styled(f" {line.standing.upper()}", _STANDING_STYLE[line.standing])
    console.print(styled(f"{line.gate}#{line.seq}  {line.kind} ", "bold").append_text(head))
    facts = (
        ("says", line.summary),
        ("issued", f"{line.issued_at} by {line.actor}"),
        ("signed by", ", ".join(report.issuers)),
        ("reason", line.reason),
        ("milestone", line.milestone or "none"),
        ("contract", f"version {line.version}"),
        ("file", line.path),
        ("sha256", line.sha256),
        ("cited by", "\n".join(report.cited_by) or "no record"),
    )
    for label, text in facts:
        field(console, label, text)
    statement = json.dumps(report.statement, indent=2, sort_keys=True)
    for row in statement.splitlines():
        console.print(styled(f"  {row}", "dim"), soft_wrap=True)
    return trimmed(buffer)
