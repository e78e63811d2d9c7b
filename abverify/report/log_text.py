"""The trail as text: one line a record, or one record whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abverify.report.blocks import field, new_console, reasons_block, styled, trimmed

if TYPE_CHECKING:
    from abverify.model.log_report import LogReport, RecordReport

_STANDING_STYLE = {"stands": "green", "void": "red", "past": "dim"}


def render_log(report: LogReport, *, width: int, color: bool) -> str:
    """The records, oldest first, each with what it says and whether it still stands."""
    from rich.table import Table

    console, buffer = new_console(width, color=color)
    reasons_block(console, report.reasons)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, keep in (("issued", True), ("record", True), ("kind", True), ("standing", True)):
        table.add_column(title, overflow="fold", no_wrap=keep)
    table.add_column("says", overflow="fold")
    for line in report.lines:
        gate = line.gate.rsplit("/", 1)[-1]
        table.add_row(
            styled(line.issued_at, "dim"),
            styled(f"{gate}#{line.seq}", "bold"),
            styled(line.kind, ""),
            styled(line.standing, _STANDING_STYLE[line.standing]),
            styled(f"{line.summary} ({line.actor}: {line.reason})", ""),
        )
    console.print(table)
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
